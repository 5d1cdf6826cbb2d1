// See array_files.h. Plain u8 data is used where it lies in the mapped file; all else is converted,
// number by number.
#include "runtime/data/array_files.h"
#include "runtime/base/element.h"
#include "runtime/base/text.h"
#include "runtime/data/gzip.h"

namespace gradc::runtime {

namespace {

/// A number as the file holds it: kind 'u', 'i', 'f' or 'b', size in bytes.
struct FileNumber {
    char kind = 'u';
    int size = 1;
    bool big_endian = false;
};

struct FileArray {
    FileNumber number;
    std::vector<int64_t> shape;
    std::string_view payload; // after the header, to the end of the file
    bool flat = false;        // the axes of an entry need not agree
};

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

bool check_shape(const std::string& path, const FileArray& array, const Column& column, Fault& fault) {
    bool agrees = !array.shape.empty() && int(array.shape.size()) == column.entry_rank() + 1;
    for (int axis = 0; agrees && axis < column.entry_rank(); axis++) {
        agrees = array.shape[size_t(axis) + 1] == column.entry_shape()[axis];
    }
    int rank = int(array.shape.size());
    if (array.flat && rank > 0) agrees |= element_count(array.shape.data() + 1, rank - 1) == column.entry_elements;
    if (!agrees) {
        return fault.fail(path, ": error: holds ", shape_text(array.shape.data(), rank), ", but ", column.field->name,
                          " wants [rows", column.entry_rank() > 0 ? ", " : "",
                          shape_text(column.entry_shape(), column.entry_rank()).substr(1));
    }
    int64_t bytes = array.number.size;
    for (int64_t size : array.shape) {
        if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes)) {
            return fault.fail(path, ": error: the sizes in its header are no array's");
        }
    }
    if (bytes > int64_t(array.payload.size())) {
        return fault.fail(path, ": error: truncated: ", shape_text(array.shape.data(), rank), " takes ", bytes,
                          " bytes after the header, the file has ", array.payload.size());
    }
    if (bytes < int64_t(array.payload.size())) {
        return fault.fail(path, ": error: ", int64_t(array.payload.size()) - bytes, " bytes too many after ",
                          shape_text(array.shape.data(), rank));
    }
    if (bytes == 0) return fault.fail(path, ": error: it holds no row");
    return true;
}

bool bytes_in_range(const std::string& path, const FileArray& array, const Column& column, Fault& fault) {
    const gradc_field& field = *column.field;
    if (field.low > field.high || (field.low <= 0 && field.high >= 255)) return true;
    for (size_t i = 0; i < array.payload.size(); i++) {
        int value = static_cast<unsigned char>(array.payload[i]);
        if (value >= field.low && value <= field.high) continue;
        return fault.fail(path, ':', int64_t(i) / column.entry_elements + 1, ':',
                          int64_t(i) % column.entry_elements + 1, ": error: ", field.name, " is ", value, ", not in ",
                          field.low, "..", field.high);
    }
    return true;
}

/// Where an array's bytes lie: in a mapped file, or in memory that may be kept.
struct Source {
    MappedFile file;
    std::vector<unsigned char> inflated;
};

/// Bytes that are what the column wants: the first file's stay where they are, others are copied
/// behind them.
void take_bytes(const FileArray& array, Column& column, Source& source) {
    int64_t rows = array.shape[0];
    const auto* payload = reinterpret_cast<const unsigned char*>(array.payload.data());
    if (column.entries == 0) {
        column.entries = rows;
        if (source.inflated.empty()) {
            column.mapped = payload;
            column.file = std::move(source.file);
        } else {
            auto header = payload - source.inflated.data();
            column.owned = std::move(source.inflated);
            column.owned.erase(column.owned.begin(), column.owned.begin() + header);
        }
        return;
    }
    if (column.mapped) {
        column.owned.assign(column.mapped, column.mapped + column.entries * column.entry_bytes());
        column.mapped = nullptr;
    }
    memcpy(column.grow(rows), payload, array.payload.size());
}

/// Appends the array to the column.
bool take(const std::string& path, const FileArray& array, Column& column, Source& source, Fault& fault) {
    if (!check_shape(path, array, column, fault)) return false;
    int64_t rows = array.shape[0];
    const auto* payload = reinterpret_cast<const unsigned char*>(array.payload.data());
    if (array.number.size == 1 && array.number.kind == 'u' && column.field->stored == GRADC_U8) {
        if (!bytes_in_range(path, array, column, fault)) return false;
        take_bytes(array, column, source);
        return true;
    }
    unsigned char* at = column.grow(rows);
    int64_t size = element_size(column.field->stored);
    std::string problem;
    for (int64_t i = 0; i < rows * column.entry_elements; i++) {
        double number = read_number(payload + i * array.number.size, array.number);
        if (store_checked(*column.field, number, at + i * size, problem)) continue;
        return fault.fail(path, ':', i / column.entry_elements + 1, ':', i % column.entry_elements + 1,
                          ": error: ", column.field->name, ' ', problem);
    }
    return true;
}

// ---- IDX: 0 0 type rank, sizes as 32-bit numbers, numbers; all big endian ----------------------

bool parse_idx(const std::string& path, std::string_view bytes, FileArray& array, Fault& fault) {
    auto byte = [&](size_t at) { return static_cast<unsigned char>(bytes[at]); };
    if (bytes.empty()) return fault.fail(path, ": error: the file is empty");
    if (bytes.size() < 4 || byte(0) != 0 || byte(1) != 0) {
        return fault.fail(path, ": error: wrong magic: an IDX file begins with two zero bytes");
    }
    switch (byte(2)) {
    case 0x08: array.number = {'u', 1, true}; break;
    case 0x09: array.number = {'i', 1, true}; break;
    case 0x0B: array.number = {'i', 2, true}; break;
    case 0x0C: array.number = {'i', 4, true}; break;
    case 0x0D: array.number = {'f', 4, true}; break;
    case 0x0E: array.number = {'f', 8, true}; break;
    default: return fault.fail(path, ": error: wrong magic: IDX has no element type ", int(byte(2)));
    }
    size_t rank = byte(3);
    if (bytes.size() < 4 + 4 * rank) return fault.fail(path, ": error: truncated in its header");
    for (size_t axis = 0; axis < rank; axis++) {
        size_t at = 4 + 4 * axis;
        array.shape.push_back(int64_t(byte(at)) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3));
    }
    array.payload = bytes.substr(4 + 4 * rank);
    return true;
}

// ---- NPY: magic, version, length of a Python dictionary, numbers -------------------------------

/// What follows 'key': in the dictionary, up to the end of it.
std::string_view after_key(std::string_view header, std::string_view key) {
    size_t at = header.find(text('\'', key, '\''));
    if (at == std::string_view::npos) return "";
    at += key.size() + 2;
    while (at < header.size() && (header[at] == ':' || header[at] == ' ')) at++;
    return header.substr(at);
}

bool parse_descr(std::string_view descr, FileNumber& number) {
    if (descr.size() < 5 || descr[0] != '\'') return false;
    char order = descr[1], kind = descr[2], size = descr[3];
    if (descr[4] != '\'' || (kind != 'f' && kind != 'i' && kind != 'u' && kind != 'b')) return false;
    if (order != '<' && order != '>' && order != '|' && order != '=') return false;
    number = {kind == 'b' ? 'u' : kind, size - '0', order == '>'};
    bool known = number.size == 1 || number.size == 2 || number.size == 4 || number.size == 8;
    return known && !(kind == 'f' && number.size == 1);
}

bool parse_npy(const std::string& path, std::string_view bytes, FileArray& array, Fault& fault) {
    auto byte = [&](size_t at) { return size_t(static_cast<unsigned char>(bytes[at])); };
    if (bytes.empty()) return fault.fail(path, ": error: the file is empty");
    if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY")) {
        return fault.fail(path, ": error: wrong magic: an NPY file begins with \\x93NUMPY");
    }
    size_t start = byte(6) >= 2 ? 12 : 10;
    size_t length = byte(8) | byte(9) << 8;
    if (start == 12) length |= byte(10) << 16 | byte(11) << 24;
    if (bytes.size() < start + length) return fault.fail(path, ": error: truncated in its header");
    std::string_view header = bytes.substr(start, length);
    if (!parse_descr(after_key(header, "descr"), array.number)) {
        return fault.fail(path, ": error: its elements are none of float, int, unsigned and bool");
    }
    if (after_key(header, "fortran_order").starts_with("True")) {
        return fault.fail(path, ": error: it is in Fortran order; save numpy.ascontiguousarray(x)");
    }
    std::string_view shape = after_key(header, "shape");
    if (!shape.starts_with('(')) return fault.fail(path, ": error: its header has no shape");
    int64_t size = 0;
    bool digits = false;
    for (char c : shape.substr(1)) {
        if (c >= '0' && c <= '9' && size < (int64_t(1) << 50)) {
            size = size * 10 + (c - '0');
            digits = true;
            continue;
        }
        if (digits) array.shape.push_back(size);
        size = 0, digits = false;
        if (c == ')') break;
    }
    array.payload = bytes.substr(start + length);
    return true;
}

} // namespace

bool read_idx(const std::string& path, Column& column, Fault& fault) {
    Source source;
    if (!source.file.open(path, fault)) return false;
    std::string_view bytes = source.file.bytes();
    if (is_gzip(bytes)) {
        if (!inflate_gzip(bytes, path, source.inflated, fault)) return false;
        bytes = {reinterpret_cast<const char*>(source.inflated.data()), source.inflated.size()};
    }
    FileArray array;
    return parse_idx(path, bytes, array, fault) && take(path, array, column, source, fault);
}

bool read_npy(const std::string& path, Column& column, Fault& fault, bool flat) {
    Source source;
    FileArray array;
    array.flat = flat;
    return source.file.open(path, fault) && parse_npy(path, source.file.bytes(), array, fault) &&
           take(path, array, column, source, fault);
}

std::string npy_header(int32_t element, const std::vector<int64_t>& shape) {
    static constexpr const char* kinds[] = {"<f4", "<f8", "<f4", "<i4", "<i8", "|u1", "|b1"};
    std::string sizes;
    for (int64_t size : shape) sizes += text(size, ", ");
    std::string header = text("{'descr': '", kinds[element], "', 'fortran_order': False, 'shape': (", sizes, "), }");
    header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
    header += '\n';
    std::string start = "\x93NUMPY";
    start += char(1), start += char(0), start += char(header.size() & 255), start += char(header.size() >> 8);
    return start + header;
}

} // namespace gradc::runtime
