// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See array_files.h. Plain u8 data is used where it lies in the mapped file; all else is converted,
// number by number.
#include "runtime/data/array_files.h"
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include <algorithm>

namespace gradc::runtime {

namespace {

template <class Number> double as(const unsigned char* bytes) {
    Number number;
    memcpy(&number, bytes, sizeof number);
    return double(number);
}

double half_to_double(const unsigned char* bytes) {
    uint16_t bits;
    memcpy(&bits, bytes, 2);
    int exponent = bits >> 10 & 31;
    double fraction = bits & 1023;
    double size = exponent == 0    ? fraction * 0x1p-24
                  : exponent == 31 ? (fraction == 0 ? 1e300 * 1e300 : __builtin_nan(""))
                                   : (1024 + fraction) * (double(1u << exponent) * 0x1p-25);
    return bits >> 15 ? -size : size;
}

} // namespace

double read_number(const unsigned char* at, FileNumber number) {
    unsigned char bytes[8];
    for (int i = 0; i < number.size; i++) bytes[i] = at[number.big_endian ? number.size - 1 - i : i];
    if (number.kind == 'f') {
        return number.size == 2 ? half_to_double(bytes) : number.size == 4 ? as<float>(bytes) : as<double>(bytes);
    }
    bool is_signed = number.kind == 'i';
    switch (number.size) {
    case 1: return is_signed ? as<int8_t>(bytes) : as<uint8_t>(bytes);
    case 2: return is_signed ? as<int16_t>(bytes) : as<uint16_t>(bytes);
    case 4: return is_signed ? as<int32_t>(bytes) : as<uint32_t>(bytes);
    default: return is_signed ? as<int64_t>(bytes) : as<uint64_t>(bytes);
    }
}

namespace {

/// Bytes of the numbers that the header promises; -1 for sizes that no array has.
int64_t promised_bytes(const FileArray& array) {
    int64_t bytes = array.number.size;
    for (int64_t size : array.shape) {
        if (__builtin_mul_overflow(bytes, size, &bytes)) return -1;
    }
    return bytes;
}

/// All that the header promises is there, and nothing else.
bool check_sizes(const std::string& path, const FileArray& array, const DataFile& file, Error& error) {
    std::string shape = shape_text(array.shape.data(), int(array.shape.size()));
    int64_t bytes = promised_bytes(array), has = int64_t(array.payload.size());
    if (array.shape.empty()) return error.fail(path, ": error: it holds a single number, and no rows");
    if (bytes < 0) return error.fail(path, ": error: the sizes in its header are no array's: ", shape);
    if (bytes == 0) return error.fail(path, ": error: it holds no row: ", shape);
    if (bytes == has) return true;
    return error.fail(path, bytes > has ? ": error: truncated: " : ": error: bytes too many: ", shape, " takes ", bytes,
                      " bytes after the header, the file has ", file.cut ? "more" : integer(has));
}

bool check_shape(const std::string& path, const FileArray& array, const Column& column, bool flat, Error& error) {
    int rank = int(array.shape.size());
    bool agrees = rank == column.entry_rank() + 1;
    for (int axis = 0; agrees && axis < column.entry_rank(); axis++) {
        agrees = array.shape[size_t(axis) + 1] == column.entry_shape()[axis];
    }
    if (flat) agrees |= element_count(array.shape.data() + 1, rank - 1) == column.entry_elements;
    return agrees || error.fail(path, ": error: holds ", shape_text(array.shape.data(), rank), ", but ",
                                column.field->name, " wants [rows", column.entry_rank() > 0 ? ", " : "",
                                shape_text(column.entry_shape(), column.entry_rank()).substr(1));
}

bool bytes_in_range(const std::string& path, const FileArray& array, const Column& column, Error& error) {
    const gradc_field& field = *column.field;
    if (field.low > field.high || (field.low <= 0 && field.high >= 255)) return true;
    for (size_t i = 0; i < array.payload.size(); i++) {
        int value = static_cast<unsigned char>(array.payload[i]);
        if (value >= field.low && value <= field.high) continue;
        return error.fail(path, ':', int64_t(i) / column.entry_elements + 1, ':',
                          int64_t(i) % column.entry_elements + 1, ": error: ", field.name, " is ", value, ", not in ",
                          field.low, "..", field.high);
    }
    return true;
}

/// Bytes that are what the column wants: the first file's stay where they are, others are copied
/// behind them.
bool take_bytes(const std::string& path, const FileArray& array, Column& column, DataFile& source, Error& error) {
    int64_t rows = array.shape[0];
    const auto* payload = reinterpret_cast<const unsigned char*>(array.payload.data());
    if (column.entries == 0) {
        column.entries = rows;
        if (!source.packed) {
            column.mapped = payload;
            column.file = std::move(source.file);
        } else {
            auto header = payload - source.inflated.data();
            column.owned = std::move(source.inflated);
            column.owned.erase(column.owned.begin(), column.owned.begin() + header);
        }
        return true;
    }
    if (!column.make_room((column.mapped ? column.entries : 0) + rows, path, error)) return false;
    if (column.mapped) {
        column.owned.assign(column.mapped, column.mapped + column.entries * column.entry_bytes());
        column.mapped = nullptr;
    }
    memcpy(column.grow(rows), payload, array.payload.size());
    return true;
}

/// Appends the array to the column.
bool take(const std::string& path, const FileArray& array, Column& column, DataFile& source, bool flat, Error& error) {
    if (!check_shape(path, array, column, flat, error)) return false;
    int64_t rows = array.shape[0];
    const auto* payload = reinterpret_cast<const unsigned char*>(array.payload.data());
    if (array.number.size == 1 && array.number.kind == 'u' && column.field->stored == GRADC_U8) {
        return bytes_in_range(path, array, column, error) && take_bytes(path, array, column, source, error);
    }
    if (!column.make_room(rows, path, error)) return false;
    unsigned char* at = column.grow(rows);
    int64_t size = element_size(column.field->stored);
    std::string problem;
    for (int64_t i = 0; i < rows * column.entry_elements; i++) {
        double number = read_number(payload + i * array.number.size, array.number);
        if (store_checked(*column.field, number, at + i * size, problem)) continue;
        return error.fail(path, ':', i / column.entry_elements + 1, ':', i % column.entry_elements + 1,
                          ": error: ", column.field->name, ' ', problem);
    }
    return true;
}

// ---- IDX: 0 0 type rank, sizes as 32-bit numbers, numbers; all big endian ----------------------

bool parse_idx(const std::string& path, std::string_view bytes, FileArray& array, Error& error) {
    auto byte = [&](size_t at) { return static_cast<unsigned char>(bytes[at]); };
    if (bytes.size() < 4 || byte(0) != 0 || byte(1) != 0) {
        return error.fail(path, ": error: wrong magic: an IDX file begins with two zero bytes", known_format(bytes));
    }
    switch (byte(2)) {
    case 0x08: array.number = {'u', 1, true}; break;
    case 0x09: array.number = {'i', 1, true}; break;
    case 0x0B: array.number = {'i', 2, true}; break;
    case 0x0C: array.number = {'i', 4, true}; break;
    case 0x0D: array.number = {'f', 4, true}; break;
    case 0x0E: array.number = {'f', 8, true}; break;
    default: return error.fail(path, ": error: wrong magic: IDX has no element type ", int(byte(2)));
    }
    size_t rank = byte(3);
    if (bytes.size() < 4 + 4 * rank) return error.fail(path, ": error: truncated in its header");
    for (size_t axis = 0; axis < rank; axis++) {
        size_t at = 4 + 4 * axis;
        array.shape.push_back(int64_t(byte(at)) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3));
    }
    array.payload = bytes.substr(4 + 4 * rank);
    return true;
}

// ---- NPY: magic, version, length of a Python dictionary, numbers -------------------------------

/// The dictionary in front of the numbers: just the three keys that numpy writes, in any order.
class NpyHeader {
public:
    explicit NpyHeader(std::string_view text) : text_(text) {}
    bool read();
    /// Where reading stopped, and at what.
    std::string problem() const {
        std::string_view rest = text_.substr(at_, text_.find_last_not_of(" \n") + 1 - at_); // numpy fills with spaces
        return text(quoted(rest), ", where ", due_, " is due");
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

/// `<f4`, `|u1`, `>i8`; false for what is no plain number.
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
                          " are not read (floats, whole numbers and bool are)");
    }
    if (header.fortran_order)
        return error.fail(path, ": error: it is in Fortran order; save numpy.ascontiguousarray(x)");
    array.shape = std::move(header.shape);
    array.payload = bytes.substr(start + length);
    return true;
}

} // namespace

bool open_array(ArrayFormat format, const std::string& path, DataFile& file, FileArray& array, Error& error) {
    static constexpr size_t head = 1 << 17; // more than a header takes
    auto parse = [&] {
        array = {};
        if (file.bytes().empty()) return error.fail(path, ": error: the file is empty");
        return format == ArrayFormat::idx ? parse_idx(path, file.bytes(), array, error)
                                          : parse_npy(path, file.bytes(), array, error);
    };
    if (!file.open(path, error, head) || !parse()) return false;
    int64_t bytes = promised_bytes(array);
    if (file.cut && bytes >= int64_t(array.payload.size())) {
        size_t before = file.bytes().size() - array.payload.size();
        if (!file.inflate(before + size_t(bytes) + 1, error) || !parse()) return false;
    }
    return check_sizes(path, array, file, error);
}

static bool read_array(ArrayFormat format, const std::string& path, Column& column, bool flat, Error& error) {
    DataFile file;
    FileArray array;
    return open_array(format, path, file, array, error) && take(path, array, column, file, flat, error);
}

bool read_idx(const std::string& path, Column& column, Error& error) {
    return read_array(ArrayFormat::idx, path, column, false, error);
}

bool read_npy(const std::string& path, Column& column, Error& error, bool flat) {
    return read_array(ArrayFormat::npy, path, column, flat, error);
}

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
