// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NPY, the format of numpy: magic, version, length of a Python dictionary, the dictionary, numbers.
#include "runtime/base/text.h"
#include "runtime/data/array_file.h"
#include <algorithm>

namespace gradc::runtime {

namespace {

/// The dictionary before the numbers: exactly the three keys that numpy writes, in any order.
class NpyHeader {
public:
    explicit NpyHeader(std::string_view text) : text_(text) {}
    bool read();
    /// Where parsing stopped, and what was expected there.
    std::string problem() const {
        std::string_view rest = text_.substr(at_, text_.find_last_not_of(" \n") + 1 - at_); // numpy pads with spaces
        return text(quoted(rest), ", where ", due_, " is expected");
    }

    std::string_view descr;
    bool fortran_order = false;
    std::vector<int64_t> shape;

private:
    bool ahead(std::string_view word) {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) at_++;
        return text_.substr(at_).starts_with(word);
    }
    bool take(std::string_view word) {
        if (ahead(word)) return at_ += word.size(), true;
        return due_ = word, false;
    }
    bool word(std::string_view& word);
    bool truth(bool& value);
    bool sizes();
    std::string_view text_, due_;
    size_t at_ = 0;
};

bool NpyHeader::word(std::string_view& word) {
    char quote = ahead("\"") ? '"' : '\'';
    size_t end = ahead({&quote, 1}) ? text_.find(quote, at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) return due_ = "a word in quotes", false;
    word = text_.substr(at_ + 1, end - at_ - 1);
    return at_ = end + 1, true;
}

bool NpyHeader::truth(bool& value) {
    value = take("True");
    return value || take("False");
}

bool NpyHeader::sizes() {
    if (!take("(")) return false;
    while (!take(")")) {
        size_t end = std::min(text_.find_first_not_of("0123456789", at_), text_.size());
        int64_t size;
        if (end == at_ || !parse_integer(text_.substr(at_, end - at_), size)) return due_ = "a size", false;
        shape.push_back(size);
        at_ = end;
        if (!take(",") && !ahead(")")) return due_ = "`,` or `)`", false;
    }
    return true;
}

bool NpyHeader::read() {
    static constexpr std::string_view keys[] = {"descr", "fortran_order", "shape"};
    bool seen[3] = {};
    if (!take("{")) return false;
    while (!take("}")) {
        std::string_view key;
        size_t before = at_;
        if (!word(key)) return false;
        auto which = size_t(std::find(keys, keys + 3, key) - keys);
        if (which == 3 || seen[which]) return at_ = before, due_ = "another key", false;
        seen[which] = true;
        bool read = take(":") && (which == 0 ? word(descr) : which == 1 ? truth(fortran_order) : sizes());
        if (!read || (!take(",") && !ahead("}"))) return false;
    }
    for (int i = 0; i < 3; i++) {
        if (!seen[i]) return at_ -= 1, due_ = keys[i], false;
    }
    due_ = "the end";
    return ahead("") && at_ == text_.size();
}

/// `<f4`, `|u1`, `>i8`; false for other types.
bool parse_descr(std::string_view descr, FileNumber& number) {
    static constexpr std::string_view known[] = {"f2", "f4", "f8", "i1", "i2", "i4",
                                                 "i8", "u1", "u2", "u4", "u8", "b1"};
    bool plain = descr.size() == 3 && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
    if (!plain || std::find(std::begin(known), std::end(known), descr.substr(1)) == std::end(known)) return false;
    number = {descr[1], descr[2] - '0', descr[0] == '>'};
    return true;
}

bool parse_npy(const std::string& path, std::string_view bytes, FileArray& array, Error& error) {
    auto byte = [&](size_t at) { return size_t(static_cast<unsigned char>(bytes[at])); };
    if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY")) {
        return error.fail(path, ": error: wrong magic: an NPY file begins with \\x93NUMPY", known_format(bytes));
    }
    if (byte(6) < 1 || byte(6) > 3 || byte(7) != 0)
        return error.fail(path, ": error: version ", byte(6), '.', byte(7),
                          " of NPY is unknown (1.0, 2.0 and 3.0 are read)");
    size_t start = byte(6) >= 2 ? 12 : 10;
    size_t length = byte(8) | byte(9) << 8;
    if (start == 12) length |= byte(10) << 16 | byte(11) << 24;
    if (bytes.size() < start + length) return error.fail(path, ": error: truncated in its header");
    NpyHeader header(bytes.substr(start, length));
    if (!header.read()) return error.fail(path, ": error: its header is damaged: ", header.problem());
    if (!parse_descr(header.descr, array.number)) {
        return error.fail(path, ": error: arrays of ", quoted(header.descr),
                          " are not read (floats, integers and bool are)");
    }
    if (header.fortran_order)
        return error.fail(path, ": error: it is in Fortran order; save numpy.ascontiguousarray(x)");
    array.shape = std::move(header.shape);
    array.payload = bytes.substr(start + length);
    return true;
}

} // namespace

constinit const FileReader npy_reader{
    .name = "npy",
    .suffix = ".npy",
    .facts = array_facts<parse_npy>,
    .read = read_array<parse_npy>,
};

std::string npy_header(int32_t dtype, const std::vector<int64_t>& shape) {
    static constexpr const char* kinds[] = {"<f4", "<f8", "<f4", "<i4", "<i8", "|u1", "|b1"};
    std::string sizes;
    for (int64_t size : shape) sizes += text(size, ", ");
    std::string header = text("{'descr': '", kinds[dtype], "', 'fortran_order': False, 'shape': (", sizes, "), }");
    header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
    header += '\n';
    std::string start = "\x93NUMPY";
    start += char(1), start += char(0), start += char(header.size() & 255), start += char(header.size() >> 8);
    return start + header;
}

} // namespace gradc::runtime
