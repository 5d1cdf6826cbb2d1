// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// IDX, gzip, NPY and text files: their values, and one clear line for each kind of damage.
#include "runtime/base/dtype.h"
#include "runtime/data/array_file.h"
#include "runtime/data/characters.h"
#include "runtime/data/gzip.h"
#include "tests/unit/runtime/fields.h"
#include "tests/unit/runtime/workplace.h"
#include <catch2/catch.hpp>
#include <cstring>
#include <zlib.h>

using namespace gradc::runtime;

namespace {

std::string idx(int type, std::vector<int> shape, std::string payload) {
    std::string file{char(0), char(0), char(type), char(shape.size())};
    for (int size : shape) {
        for (int byte = 24; byte >= 0; byte -= 8) file += char(size >> byte);
    }
    return file + payload;
}

std::string gzip(const std::string& bytes) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    std::string out(bytes.size() + 200, 0);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = uInt(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = uInt(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
}

std::string npy(std::string dictionary, std::string payload) {
    dictionary.append((64 - (10 + dictionary.size() + 1) % 64) % 64, ' ');
    dictionary += '\n';
    std::string file = "\x93NUMPY";
    file += char(1), file += char(0), file += char(dictionary.size() & 255), file += char(dictionary.size() >> 8);
    return file + dictionary + payload;
}

template <class Number> std::string raw(std::vector<Number> numbers) {
    return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

double value(const Column& column, int64_t index) {
    return load_element(column.data() + index * element_size(column.field->stored), column.field->stored);
}

/// Reads with the reader of that name.
template <const char* name> bool read_by(const std::string& path, Column& column, Error& error) {
    return find_reader(name)->read(path, {&column}, error);
}
constexpr char idx_name[] = "idx", npy_name[] = "npy", characters_name[] = "characters";
constexpr auto read_idx = read_by<idx_name>, read_npy = read_by<npy_name>, read_characters = read_by<characters_name>;

/// The message about a file read as u8[2, 2] with values up to 200; "" if it is fine.
std::string said(bool (*read)(const std::string&, Column&, Error&), const std::string& content,
                 std::vector<int64_t> shape = {2, 2}) {
    workplace::Folder folder;
    Tables tables;
    gradc_field& field = tables.field("image", "idx", GRADC_U8, std::move(shape));
    field.high = 200;
    Column column(field);
    Error error;
    std::string path = folder.write("f", content);
    bool fine = read(path, column, error);
    CHECK(fine == !error);
    CHECK((fine || error.code == input_error));
    return fine ? "" : error.message.substr(folder.path().size() + 1);
}

const std::string eight = "\1\2\3\4\5\6\7\10";

} // namespace

TEST_CASE("IDX is read, plain and gzipped") {
    workplace::Folder folder;
    Tables tables;
    Error error;
    std::string file = idx(0x08, {2, 2, 2}, eight);
    for (const std::string& content : {file, gzip(file), gzip(file.substr(0, 9)) + gzip(file.substr(9))}) {
        Column bytes(tables.field("image", "idx", GRADC_U8, {2, 2}));
        REQUIRE(read_idx(folder.write("i", content), bytes, error));
        CHECK(bytes.entries == 2);
        CHECK(value(bytes, 7) == 8);
        REQUIRE(read_idx(folder.write("j", content), bytes, error)); // a second file follows the first
        CHECK(bytes.entries == 4);
        CHECK(value(bytes, 15) == 8);
        CHECK(value(bytes, 0) == 1);
        Column floats(tables.field("image", "idx", GRADC_F32, {2, 2}));
        REQUIRE(read_idx(folder.path("i"), floats, error));
        CHECK(value(floats, 7) == 8);
    }
    Column shorts(tables.field("s", "idx", GRADC_I32, {}));
    REQUIRE(read_idx(folder.write("s", idx(0x0B, {2}, std::string("\xff\xfe\x01\x00", 4))), shorts, error));
    CHECK(value(shorts, 0) == -2);
    CHECK(value(shorts, 1) == 256);
    Column doubles(tables.field("d", "idx", GRADC_F64, {}));
    REQUIRE(read_idx(folder.write("d", idx(0x0E, {1}, std::string("\x3f\xf8\0\0\0\0\0\0", 8))), doubles, error));
    CHECK(value(doubles, 0) == 1.5);
}

TEST_CASE("invalid IDX is an error of one line") {
    std::string good = idx(0x08, {2, 2, 2}, eight);
    CHECK(said(read_idx, good) == "");
    CHECK(said(read_idx, "") == "f: error: the file is empty");
    CHECK(said(read_idx, "P5 2 2\n") == "f: error: wrong magic: an IDX file begins with two zero bytes");
    CHECK(said(read_idx, idx(0x07, {2}, "12")) == "f: error: wrong magic: IDX has no dtype 7");
    CHECK(said(read_idx, good.substr(0, 10)) == "f: error: truncated in its header");
    CHECK(said(read_idx, good.substr(0, good.size() - 3)) ==
          "f: error: truncated: [2, 2, 2] takes 8 bytes after the header, the file has 5");
    CHECK(said(read_idx, good + "x") ==
          "f: error: too many bytes: [2, 2, 2] takes 8 bytes after the header, the file has 9");
    CHECK(said(read_idx, good, {2, 3}) == "f: error: holds [2, 2, 2], but image wants [rows, 2, 3]");
    CHECK(said(read_idx, good, {}) == "f: error: holds [2, 2, 2], but image wants [rows]");
    CHECK(said(read_idx, idx(0x08, {0, 2, 2}, "")) == "f: error: it has no rows: [0, 2, 2]");
    CHECK(said(read_idx, idx(0x0E, {0x7fffffff, 0x7fffffff, 0x7fffffff}, eight), {0x7fffffff, 0x7fffffff}) ==
          "f: error: the sizes in its header are invalid: [2147483647, 2147483647, 2147483647]");
    CHECK(said(read_idx, idx(0x08, {2, 2, 2}, "\1\2\3\4\5\6\xc9\10")) == "f:2:3: error: image is 201, not in 0..200");
    CHECK(said(read_idx, idx(0x09, {2, 2, 2}, "\1\2\3\4\5\xff\7\10")) == "f:2:2: error: image is -1, not in 0..200");
}

TEST_CASE("invalid gzip is an error of one line, at every truncation") {
    std::string whole = gzip(idx(0x08, {2, 2, 2}, eight));
    for (size_t length = 2; length < whole.size(); length++) {
        std::string message = said(read_idx, whole.substr(0, length));
        CHECK(message.starts_with("f: error: the gzip data ends early, after "));
    }
    std::string flipped = whole;
    flipped[12] = char(flipped[12] ^ 0xff);
    CHECK(said(read_idx, flipped).starts_with("f: error: the gzip data is damaged at byte "));
    CHECK(said(read_idx, whole + "garbage").starts_with("f: error: the gzip data is damaged at byte "));
}

TEST_CASE("a gzip file is inflated as far as the header inside needs") {
    std::string million(1 << 20, '\1'), bomb(100 << 20, '\1');
    std::string zip = gzip(idx(0x08, {1 << 18, 2, 2}, million));
    CHECK(said(read_idx, zip) == "");
    CHECK(said(read_idx, gzip(idx(0x08, {1 << 18, 2, 2}, million + "x"))) ==
          "f: error: too many bytes: [262144, 2, 2] takes 1048576 bytes after the header, the file has more");
    CHECK(said(read_idx, gzip(idx(0x08, {2, 2, 2}, bomb))) ==
          "f: error: too many bytes: [2, 2, 2] takes 8 bytes after the header, the file has more");
    CHECK(said(read_idx, gzip(idx(0x08, {1 << 18, 2, 2}, million.substr(1)))) ==
          "f: error: truncated: [262144, 2, 2] takes 1048576 bytes after the header, the file has 1048575");
    CHECK(said(read_idx, zip.substr(0, zip.size() - 1)).starts_with("f: error: the gzip data ends early, after "));
    std::string damaged = zip; // in the sum over all of it
    damaged[damaged.size() - 6] = char(damaged[damaged.size() - 6] ^ 1);
    CHECK(said(read_idx, damaged).starts_with("f: error: the gzip data is damaged at byte "));

    workplace::Folder folder;
    std::vector<unsigned char> out;
    Error error;
    bool cut = false;
    std::string path = folder.path("b"), packed = gzip(bomb);
    REQUIRE(inflate_gzip(packed, path, out, error, 1000, &cut));
    CHECK(cut);
    CHECK(out.size() == 1000);
    CHECK(out.capacity() < 1 << 20);
    CHECK(said(read_npy, gzip(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }", eight))) == "");
}

TEST_CASE("NPY is read") {
    workplace::Folder folder;
    Tables tables;
    Error error;
    Column x(tables.field("x", "npy", GRADC_F32, {2}));
    REQUIRE(read_npy(folder.write("x", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }",
                                           raw<double>({1.5, -2, 3, 4}))),
                     x, error));
    CHECK(x.entries == 2);
    CHECK(value(x, 1) == -2);
    Column half(tables.field("h", "npy", GRADC_F32, {}));
    REQUIRE(read_npy(folder.write("h", npy("{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }",
                                           raw<uint16_t>({0x3e00, 0xc000, 0x0001}))),
                     half, error));
    CHECK(value(half, 0) == 1.5);
    CHECK(value(half, 1) == -2);
    CHECK(value(half, 2) == 0x1p-24f);
    Column big(tables.field("b", "npy", GRADC_I32, {}));
    REQUIRE(read_npy(folder.write("b", npy("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }",
                                           std::string("\xff\xff\xff\xfd", 4))),
                     big, error));
    CHECK(value(big, 0) == -3);
}

namespace {

/// One row of three numbers of the element `descr`, read as f64.
template <class Number> std::vector<double> through_npy(const char* descr, std::vector<Number> numbers) {
    workplace::Folder folder;
    Tables tables;
    Error error;
    Column column(tables.field("x", "npy", GRADC_F64, {3}));
    std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (1, 3), }";
    REQUIRE(read_npy(folder.write("x", npy(header, raw<Number>(numbers))), column, error));
    return {value(column, 0), value(column, 1), value(column, 2)};
}

} // namespace

TEST_CASE("NPY is read in every little-endian dtype") {
    using Values = std::vector<double>;
    CHECK(through_npy<float>("<f4", {0.5f, -3, 1e30f}) == Values{0.5, -3, double(1e30f)});
    CHECK(through_npy<double>("<f8", {0.1, -3, 1e300}) == Values{0.1, -3, 1e300});
    CHECK(through_npy<uint16_t>("<f2", {0x3c00, 0xc500, 0x7bff}) == Values{1, -5, 65504});
    CHECK(through_npy<int8_t>("|i1", {-128, 0, 127}) == Values{-128, 0, 127});
    CHECK(through_npy<int16_t>("<i2", {-32768, 1, 32767}) == Values{-32768, 1, 32767});
    CHECK(through_npy<int32_t>("<i4", {INT32_MIN, 1, INT32_MAX}) == Values{-2147483648., 1, 2147483647.});
    CHECK(through_npy<int64_t>("<i8", {-(int64_t(1) << 53), 1, 7}) == Values{-9007199254740992., 1, 7});
    CHECK(through_npy<uint8_t>("|u1", {0, 1, 255}) == Values{0, 1, 255});
    CHECK(through_npy<uint16_t>("<u2", {0, 1, 65535}) == Values{0, 1, 65535});
    CHECK(through_npy<uint32_t>("<u4", {0, 1, UINT32_MAX}) == Values{0, 1, 4294967295.});
    CHECK(through_npy<uint64_t>("<u8", {0, 1, uint64_t(1) << 53}) == Values{0, 1, 9007199254740992.});
    CHECK(through_npy<uint8_t>("|b1", {0, 1, 1}) == Values{0, 1, 1});
}

TEST_CASE("NPY headers are read as written") {
    workplace::Folder folder;
    Tables tables;
    Error error;
    Column square(tables.field("x", "npy", GRADC_F32, {2, 2})), flat(tables.field("y", "npy", GRADC_F32, {4}));
    std::string path = folder.write("x", npy_header(GRADC_F32, {1, 2, 2}) + raw<float>({1, 2, 3, 4}));
    REQUIRE(read_npy(path, square, error));
    CHECK(value(square, 3) == 4);
    CHECK_FALSE(read_npy(path, flat, error));
    Error none;
    flat.any_shape = true; // as many numbers in other axes
    REQUIRE(read_npy(path, flat, none));
    CHECK(value(flat, 2) == 3);
}

TEST_CASE("invalid NPY is an error of one line") {
    std::string good = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }", eight);
    CHECK(said(read_npy, good) == "");
    CHECK(said(read_npy, "") == "f: error: the file is empty");
    CHECK(said(read_npy, "PK\3\4aaaaaaaaaaaaa") == "f: error: wrong magic: an NPY file begins with \\x93NUMPY; it is a "
                                                   "ZIP archive (.xlsx, .npz): extract the table or array");
    CHECK(said(read_npy, good.substr(0, 40)) == "f: error: truncated in its header");
    CHECK(said(read_npy, good.substr(0, good.size() - 1)) ==
          "f: error: truncated: [2, 2, 2] takes 8 bytes after the header, the file has 7");
    CHECK(said(read_npy, npy("{'descr': '|S4', 'fortran_order': False, 'shape': (2,), }", eight)) ==
          "f: error: arrays of `|S4` are not read (floats, integers and bool are)");
    CHECK(said(read_npy, npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 2), }", eight)) ==
          "f: error: it is in Fortran order; save numpy.ascontiguousarray(x)");
    CHECK(said(read_npy, npy("{'descr': '|u1', 'fortran_order': False, }", eight)) ==
          "f: error: its header is damaged: `}`, where shape is expected");
    auto header = [](const std::string& descr, const std::string& shape) {
        return npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }", eight);
    };
    CHECK(said(read_npy, header("|u1", "(2, 2, 2)")) == "");
    CHECK(said(read_npy, header("|u1", "(-2, 2, 2)")) ==
          "f: error: its header is damaged: `-2, 2, 2), }`, where a size is expected");
    CHECK(said(read_npy, header("|u1", "(2, 2, 2")) ==
          "f: error: its header is damaged: `}`, where a size is expected");
    CHECK(said(read_npy, header("|u1", "(2, 2 2)")) ==
          "f: error: its header is damaged: `2), }`, where `,` or `)` is expected");
    CHECK(said(read_npy, header("|u1", "(99999999999999999999, 2, 2)"))
              .starts_with("f: error: its header is damaged: `99999999999999999999, 2, 2), }`"));
    CHECK(said(read_npy, header("|u1", "()")) == "f: error: it has a single number and no rows");
    for (const char* descr : {"<b8", "<f1", "<i3", "<f44", "u1", "<c8", "|O", ""})
        CHECK(said(read_npy, header(descr, "(2, 2, 2)")) ==
              "f: error: arrays of `" + std::string(descr) + "` are not read (floats, integers and bool are)");
    CHECK(said(read_npy, npy("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (8,), }", eight)) ==
          "f: error: its header is damaged: `[('a', '|u1')], 'fortran_order': False, ..`, where a word in quotes is "
          "expected");
    CHECK(said(read_npy, npy("{'descr': '|u1', 'fortran_order': Maybe, 'shape': (2, 2, 2), }", eight)) ==
          "f: error: its header is damaged: `Maybe, 'shape': (2, 2, 2), }`, where False is expected");
    CHECK(said(read_npy, npy("{'descr': '|u1', 'shape': (2, 2, 2), 'shape': (8,), }", eight)) ==
          "f: error: its header is damaged: `'shape': (8,), }`, where another key is expected");
    CHECK(said(read_npy, npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), } more", eight)) ==
          "f: error: its header is damaged: `more`, where the end is expected");
    for (auto [major, minor, told] : {std::tuple(0, 0, "0.0"), {9, 0, "9.0"}, {1, 7, "1.7"}}) {
        std::string other = good;
        other[6] = char(major), other[7] = char(minor);
        CHECK(said(read_npy, other) ==
              "f: error: version " + std::string(told) + " of NPY is unknown (1.0, 2.0 and 3.0 are read)");
    }
    std::string escape = header("\x1b[2J", "(2, 2, 2)");
    CHECK(said(read_npy, escape) == "f: error: arrays of `\\x1b[2J` are not read (floats, integers and bool are)");
    CHECK(said(read_npy, npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2), }",
                             raw<float>({1, 2, 0.0f / 0.0f, 4}))) == "f:1:3: error: image is nan, which is not finite");
}

TEST_CASE("text becomes codes") {
    workplace::Folder folder;
    Tables tables;
    gradc_field& field = tables.field("window", "characters", GRADC_U8, {4});
    field.alphabet = "\nabé€😀";
    field.window = 4;
    field.high = 5;
    Error error;
    Column text(field);
    REQUIRE(read_characters(folder.write("t", "ab\né€😀a"), text, error));
    CHECK(text.entries == 7);
    CHECK(text.rows() == 4);
    CHECK(value(text, 3) == 3);
    CHECK(value(text, 5) == 5);
    CHECK(text.row(1) - text.row(0) == 1);
    auto problem = [&](const char* content) {
        Column other(field);
        Error told;
        read_characters(folder.write("u", content), other, told);
        return told.message.substr(std::min(told.message.size(), folder.path().size() + 1));
    };
    CHECK(problem("ab\nac") == "u:2:2: error: the character `c` is not in the alphabet of window, which has 6");
    CHECK(problem("a\xff") == "u:1:2: error: `\\xff` is not UTF-8; `iconv -f LATIN1 -t UTF-8` converts Latin-1");
    CHECK(problem("a\xe2\x82") == "u:1:2: error: `\\xe2` is not UTF-8; `iconv -f LATIN1 -t UTF-8` converts Latin-1");
    CHECK(problem("a\xc0\x80") == "u:1:2: error: `\\xc0` is not UTF-8; `iconv -f LATIN1 -t UTF-8` converts Latin-1");
    CHECK(problem("a\xed\xa0\x80").starts_with("u:1:2: error: `\\xed` is not UTF-8; ")); // half of a pair
    CHECK(problem("a\x1b") == "u:1:2: error: the character `\\x1b` is not in the alphabet of window, which has 6");
    CHECK(problem("\xff\xfe").starts_with("u: error: the text is in UTF-16; write it in UTF-8: iconv "));
    CHECK(problem("") == "u:1:1: error: the file is empty");
}

TEST_CASE("damaged files are read or give one printable line") {
    workplace::Folder folder;
    std::string array = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", raw<float>({1, 2}));
    std::string image = idx(0x0D, {1, 2}, std::string("\x3f\x80\0\0\x40\0\0\0", 8));
    uint64_t state = 7;
    auto chance = [&](size_t below) {
        return state = state * 6364136223846793005u + 1442695040888963407u, (state >> 33) % below;
    };
    int read = 0;
    for (int turn = 0; turn < 3000; turn++) {
        std::string content = turn % 3 == 0 ? array : turn % 3 == 1 ? image : gzip(image);
        for (size_t change = chance(3) + 1; change > 0; change--) {
            size_t at = chance(content.size());
            if (chance(3) == 0) content.erase(at, 1 + chance(4));
            else content[at] = char(chance(4) == 0 ? chance(256) : content[at] ^ 1 << chance(8));
        }
        Tables tables;
        Column column(tables.field("x", "idx", GRADC_F32, {2}));
        Error error;
        std::string path = folder.write("d", content);
        bool fine = turn % 3 == 0 ? read_npy(path, column, error) : read_idx(path, column, error);
        INFO(turn << " " << error.message);
        REQUIRE(fine == !error);
        REQUIRE(visible(error.message) == error.message);
        REQUIRE((!fine || column.owned.size() == 8 * size_t(column.entries)));
        read += fine;
    }
    CHECK(read > 100);
    CHECK(read < 2500);
}
