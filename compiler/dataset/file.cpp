// CSV, IDX, NPY and text, as far as sizes, largest numbers and alphabets need; see file.h.
#include "compiler/dataset/file.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <sys/stat.h>
#include <zlib.h>

namespace gradc {

namespace {

bool regular(const std::string& path) {
    struct stat facts{};
    return stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

std::optional<double> number(std::string cell) {
    while (!cell.empty() && std::strchr(" \t\r", cell.back())) cell.pop_back();
    const char *first = cell.data(), *last = first + cell.size();
    while (first < last && (*first == ' ' || *first == '\t')) ++first;
    if (first < last && *first == '+') ++first;
    double value = 0;
    auto [end, fault] = std::from_chars(first, last, value);
    if (fault != std::errc() || end != last || first == last) return {};
    return value;
}

/// The cells of the line that starts at `at`, which moves behind it. Quoted cells may hold commas
/// and line ends.
std::vector<std::string> next_line(const std::string& bytes, size_t& at) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (; at < bytes.size(); ++at) {
        char c = bytes[at];
        if (quoted && c == '"' && at + 1 < bytes.size() && bytes[at + 1] == '"') cells.back() += bytes[++at];
        else if (c == '"') quoted = !quoted;
        else if (!quoted && c == ',') cells.emplace_back();
        else if (!quoted && c == '\n') {
            ++at;
            break;
        } else if (quoted || c != '\r') cells.back() += c;
    }
    return cells;
}

uint32_t big_endian(const char* bytes) {
    const auto* b = reinterpret_cast<const unsigned char*>(bytes);
    return uint32_t(b[0]) << 24 | uint32_t(b[1]) << 16 | uint32_t(b[2]) << 8 | b[3];
}

/// Largest of the numbers of type T from `data` on, bytes swapped if they are big-endian and wider
/// than one.
template <class T> double largest_of(const char* data, int64_t count, bool swapped) {
    double largest = -std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < count; ++i) {
        char bytes[sizeof(T)];
        std::memcpy(bytes, data + i * int64_t(sizeof(T)), sizeof(T));
        if (swapped) std::reverse(bytes, bytes + sizeof(T));
        T value;
        std::memcpy(&value, bytes, sizeof(T));
        largest = std::max(largest, double(value));
    }
    return largest;
}

/// The same of IEEE half precision: sign, five bits of exponent, ten of fraction.
double largest_half(const char* data, int64_t count, bool swapped) {
    double largest = -std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < count; ++i) {
        auto byte = [&](int64_t at) { return int(static_cast<unsigned char>(data[2 * i + at])); };
        int bits = byte(swapped ? 1 : 0) | byte(swapped ? 0 : 1) << 8;
        int exponent = bits >> 10 & 31, fraction = bits & 1023;
        if (exponent == 31) continue; // infinity or NaN, which the trainer will refuse
        double size = exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
        largest = std::max(largest, bits >> 15 ? -size : size);
    }
    return largest;
}

} // namespace

std::optional<std::string> find_data_file(const std::string& path, const std::vector<std::string>& folders,
                                          std::vector<std::string>& places) {
    if (!path.empty() && path[0] == '/') {
        places.push_back(path);
        return regular(path) ? std::optional(path) : std::nullopt;
    }
    for (const std::string& folder : folders) {
        std::string place = folder.empty() || folder == "." ? path : folder + "/" + path;
        if (std::find(places.begin(), places.end(), place) != places.end()) continue;
        places.push_back(place);
        if (regular(place)) return place;
    }
    return {};
}

std::optional<std::string> read_data_file(const std::string& path, std::string& reason) {
    gzFile file = gzopen(path.c_str(), "rb"); // reads plain files as they are
    if (!file) {
        reason = "it cannot be opened";
        return {};
    }
    std::string bytes;
    std::vector<char> piece(1 << 18);
    int got;
    while ((got = gzread(file, piece.data(), unsigned(piece.size()))) > 0) bytes.append(piece.data(), size_t(got));
    bool whole = got == 0 && gzclose_r(file) == Z_OK;
    if (got < 0) gzclose_r(file);
    if (whole) return bytes;
    reason = "it is a damaged or truncated gzip";
    return {};
}

std::optional<TableFacts> read_table(const std::string& bytes, std::string& reason) {
    TableFacts facts;
    size_t at = bytes.compare(0, 3, "\xEF\xBB\xBF") == 0 ? 3 : 0;
    bool first = true;
    for (int64_t line = 1; at < bytes.size(); ++line) {
        auto cells = next_line(bytes, at);
        if (cells.size() == 1 && cells[0].empty()) continue;
        if (first) {
            facts.columns = cells.size();
            facts.largest.assign(cells.size(), -std::numeric_limits<double>::infinity());
            bool header = std::any_of(cells.begin(), cells.end(), [](auto& cell) { return !number(cell); });
            first = false;
            if (header) {
                facts.names = cells;
                continue;
            }
        }
        if (cells.size() != facts.columns) {
            reason = "line " + std::to_string(line) + " has " + std::to_string(cells.size()) + " cells, the first " +
                     std::to_string(facts.columns);
            return {};
        }
        ++facts.rows;
        for (size_t i = 0; i < cells.size(); ++i)
            if (auto value = number(cells[i])) facts.largest[i] = std::max(facts.largest[i], *value);
    }
    if (facts.rows) return facts;
    reason = "it has no rows";
    return {};
}

std::optional<ArrayFacts> read_idx(const std::string& bytes, std::string& reason) {
    if (bytes.size() < 4 || bytes[0] || bytes[1]) {
        reason = "it does not begin as an IDX file";
        return {};
    }
    ArrayFacts facts;
    int code = static_cast<unsigned char>(bytes[2]), rank = static_cast<unsigned char>(bytes[3]);
    size_t data = 4 + 4 * size_t(rank);
    if (bytes.size() < data || rank < 1) {
        reason = "its header is cut off";
        return {};
    }
    int64_t count = 1, width = code == 0x08 || code == 0x09 ? 1 : code == 0x0B ? 2 : code == 0x0E ? 8 : 4;
    for (int i = 0; i < rank; ++i) {
        facts.shape.push_back(big_endian(bytes.data() + 4 + 4 * i));
        if (__builtin_mul_overflow(count, facts.shape.back(), &count)) count = INT64_MAX / 16;
    }
    if (int64_t(bytes.size() - data) < count * width) {
        reason = "it is cut off: its header promises " + std::to_string(count) + " numbers";
        return {};
    }
    const char* numbers = bytes.data() + data;
    switch (code) {
    case 0x08: facts.element = Element::u8, facts.largest = largest_of<uint8_t>(numbers, count, true); break;
    case 0x09: facts.element = Element::i32, facts.largest = largest_of<int8_t>(numbers, count, true); break;
    case 0x0B: facts.element = Element::i32, facts.largest = largest_of<int16_t>(numbers, count, true); break;
    case 0x0C: facts.element = Element::i32, facts.largest = largest_of<int32_t>(numbers, count, true); break;
    case 0x0D: facts.element = Element::f32, facts.largest = largest_of<float>(numbers, count, true); break;
    case 0x0E: facts.element = Element::f64, facts.largest = largest_of<double>(numbers, count, true); break;
    default: reason = "its numbers are of an unknown type"; return {};
    }
    return facts;
}

namespace {

struct NpyNumber {
    Element element;
    int64_t size; // bytes
    double (*largest)(const char* numbers, int64_t count, bool big_endian);
    bool big_endian = false;
};

/// Of `<f4`, `|u1`, `>i8`; nothing for what is no plain number.
std::optional<NpyNumber> npy_number(const std::string& descr) {
    static const std::pair<const char*, NpyNumber> known[] = {
        {"f2", {Element::f32, 2, largest_half}},         {"f4", {Element::f32, 4, largest_of<float>}},
        {"f8", {Element::f64, 8, largest_of<double>}},   {"i1", {Element::i32, 1, largest_of<int8_t>}},
        {"i2", {Element::i32, 2, largest_of<int16_t>}},  {"i4", {Element::i32, 4, largest_of<int32_t>}},
        {"i8", {Element::i32, 8, largest_of<int64_t>}},  {"u1", {Element::u8, 1, largest_of<uint8_t>}},
        {"u2", {Element::i32, 2, largest_of<uint16_t>}}, {"u4", {Element::i32, 4, largest_of<uint32_t>}},
        {"u8", {Element::i32, 8, largest_of<uint64_t>}}, {"b1", {Element::i32, 1, largest_of<uint8_t>}}};
    if (descr.size() != 3 || std::string("<>|=").find(descr[0]) == std::string::npos) return {};
    for (const auto& [name, number] : known) {
        if (descr.substr(1) != name) continue;
        NpyNumber found = number;
        found.big_endian = descr[0] == '>';
        return found;
    }
    return {};
}

} // namespace

std::optional<ArrayFacts> read_npy(const std::string& bytes, std::string& reason) {
    if (bytes.compare(0, 6, "\x93NUMPY") != 0 || bytes.size() < 12) {
        reason = "it does not begin as an NPY file";
        return {};
    }
    auto at = [&](size_t i) { return size_t(static_cast<unsigned char>(bytes[i])); };
    bool short_header = bytes[6] == 1;
    size_t length = short_header ? at(8) | at(9) << 8 : at(8) | at(9) << 8 | at(10) << 16 | at(11) << 24;
    size_t data = (short_header ? 10 : 12) + length;
    std::string header = bytes.substr(short_header ? 10 : 12, length);
    size_t type = header.find("'descr'"), shape = header.find("'shape'");
    if (bytes.size() < data || type == std::string::npos || shape == std::string::npos) {
        reason = "its header is damaged";
        return {};
    }
    if (header.find("True") != std::string::npos) {
        reason = "it is in Fortran order; save it with numpy.ascontiguousarray";
        return {};
    }
    ArrayFacts facts;
    int64_t count = 1;
    for (size_t i = header.find('(', shape) + 1; i < header.size() && header[i] != ')';) {
        if (!std::isdigit(static_cast<unsigned char>(header[i]))) {
            ++i;
            continue;
        }
        int64_t size = 0;
        auto end = std::from_chars(header.data() + i, header.data() + header.size(), size).ptr;
        i = size_t(end - header.data());
        facts.shape.push_back(size);
        if (__builtin_mul_overflow(count, size, &count)) count = INT64_MAX / 16;
    }
    size_t quote = header.find('\'', header.find(':', type));
    std::string word = header.substr(quote + 1, header.find('\'', quote + 1) - quote - 1);
    auto number = npy_number(word);
    if (!number || facts.shape.empty()) {
        reason = "arrays of `" + word + "` are not read (floats, whole numbers and bool are)";
        return {};
    }
    if (int64_t(bytes.size() - data) / number->size < count) {
        reason = "it is cut off: its header promises " + std::to_string(count) + " numbers";
        return {};
    }
    facts.element = number->element;
    facts.largest = number->largest(bytes.data() + data, count, number->big_endian);
    return facts;
}

std::optional<TextFacts> read_characters(const std::string& bytes, std::string& reason) {
    TextFacts facts;
    std::set<std::string> letters; // bytes of UTF-8 sort as their codes do
    for (size_t at = 0; at < bytes.size(); ++facts.length) {
        unsigned char lead = static_cast<unsigned char>(bytes[at]);
        size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
        bool good = length && at + length <= bytes.size();
        for (size_t i = 1; good && i < length; ++i) good = (bytes[at + i] & 0xC0) == 0x80;
        if (!good) {
            reason = "byte " + std::to_string(at + 1) + " is no UTF-8";
            return {};
        }
        letters.insert(bytes.substr(at, length));
        at += length;
    }
    if (letters.empty()) {
        reason = "it is empty";
        return {};
    }
    for (const std::string& letter : letters) facts.alphabet += letter;
    facts.letters = int64_t(letters.size());
    return facts;
}

} // namespace gradc
