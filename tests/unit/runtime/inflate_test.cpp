// Our inflating beside zlib's: the same bytes from what zlib packed in every way, the same verdict on what is broken.
#include "runtime/data/gzip.h"
#include "runtime/data/inflate.h"
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <zlib.h>

using namespace gradc::runtime;

namespace {

struct Packing {
    int level = 6, window = 15, strategy = Z_DEFAULT_STRATEGY;
};

/// window < 0: deflate alone; above 15: a gzip member.
std::string packed(const std::string& bytes, Packing how, gz_header* header = nullptr) {
    z_stream stream{};
    deflateInit2(&stream, how.level, Z_DEFLATED, how.window, 8, how.strategy);
    if (header) deflateSetHeader(&stream, header);
    std::string out(deflateBound(&stream, bytes.size()) + 100, 0);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = uInt(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = uInt(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
}

/// zlib's verdict on a deflate stream, and what it gave.
int by_zlib(const std::string& bytes, std::string& out) {
    z_stream stream{};
    inflateInit2(&stream, -15);
    out.assign(1 << 20, 0);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = uInt(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = uInt(out.size());
    int status = inflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    inflateEnd(&stream);
    return status;
}

Inflation ours(const std::string& bytes, std::string& out, size_t* read = nullptr) {
    std::string copy = bytes; // of its own size: a sanitizer sees what is read behind it
    copy.shrink_to_fit();
    std::vector<unsigned char> room(1);
    Inflater inflater(copy, room);
    Inflation result = inflater.stream();
    out.assign(reinterpret_cast<const char*>(room.data()), inflater.filled);
    if (read) *read = inflater.at;
    return result;
}

/// Texts that make zlib use all there is: runs, far copies, rare letters with long codes, nothing to copy at all.
std::vector<std::string> samples(std::mt19937& random) {
    std::vector<std::string> all{"", "a", std::string(70000, 'z'), "abcabcabcabcabcabcabcabcabcabcabcabd"};
    for (int spread : {1, 2, 16, 256}) {
        std::string text;
        for (int i = 0; i < 50000; ++i) text += char(random() % unsigned(spread));
        all.push_back(text);
    }
    std::string steep, far;
    for (int i = 0; i < 60000; ++i) { // the k-th letter half as often as the one before
        int letter = 0;
        while (letter < 200 && random() % 2) ++letter;
        steep += char(letter);
    }
    all.push_back(steep);
    for (int i = 0; i < 400; ++i) {
        if (far.size() > 33000 && random() % 2)
            far += far.substr(far.size() - 1 - random() % 32768, 1 + random() % 400);
        for (unsigned k = random() % 300; k > 0; --k) far += char(random());
    }
    all.push_back(far);
    return all;
}

} // namespace

TEST_CASE("what zlib packs in any way is read, to the byte where it ends") {
    std::mt19937 random(7);
    for (const std::string& text : samples(random)) {
        for (int level : {0, 1, 6, 9})
            for (int window : {-9, -15})
                for (int strategy : {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED, Z_FILTERED}) {
                    std::string bytes = packed(text, {level, window, strategy}), out;
                    size_t read = 0;
                    REQUIRE((ours(bytes, out, &read) == Inflation::whole));
                    REQUIRE((out == text && read == bytes.size()));
                    REQUIRE((ours(bytes + "more behind it", out, &read) == Inflation::whole));
                    REQUIRE((out == text && read == bytes.size()));
                }
    }
}

TEST_CASE("a stream that is cut anywhere ends early") {
    std::mt19937 random(8);
    std::string text;
    for (int i = 0; i < 600; ++i) text += char('a' + random() % (1 + unsigned(i) / 40));
    for (Packing how : {Packing{0, -15, 0}, Packing{9, -15, 0}, Packing{9, -15, Z_FIXED}}) {
        std::string bytes = packed(text, how), out;
        for (size_t length = 0; length < bytes.size(); ++length)
            REQUIRE((ours(bytes.substr(0, length), out) == Inflation::ends_early));
    }
}

TEST_CASE("what zlib takes is taken, what it refuses is refused") {
    std::mt19937 random(9);
    std::string text;
    for (int i = 0; i < 3000; ++i) {
        bool copies = i > 100 && random() % 8 == 0;
        text += copies ? text.substr(random() % 90, 9) : std::string(1, char(random() % 40));
    }
    int taken = 0, refused = 0;
    for (int round = 0; round < 6000; ++round) {
        Packing how{round % 3 == 0 ? 1 : 9, -15, round % 5 == 0 ? Z_FIXED : Z_DEFAULT_STRATEGY};
        std::string bytes(1 + random() % 60, 0);
        for (char& byte : bytes) byte = char(random());
        if (round % 4 != 0) bytes = packed(text.substr(0, 50 + random() % 2900), how);
        for (unsigned flips = random() % 3; flips > 0; --flips) {
            size_t near_begin = std::min<size_t>(bytes.size(), round % 2 ? 80 : bytes.size());
            bytes[random() % near_begin] ^= char(1 << random() % 8);
        }
        std::string theirs, own;
        int status = by_zlib(bytes, theirs);
        Inflation result = ours(bytes, own);
        REQUIRE((status == Z_STREAM_END) == (result == Inflation::whole));
        if (status == Z_STREAM_END) REQUIRE((theirs == own));
        ++(status == Z_STREAM_END ? taken : refused);
    }
    CHECK(taken > 1000);
    CHECK(refused > 1000);
}

TEST_CASE("a gzip header may have more fields, a name, a comment and a checksum; its trailer is checked") {
    std::string text = "the quick brown fox", extra = "AB\4\0four", name = "name", comment = "remark";
    for (int fields = 0; fields < 16; ++fields) {
        gz_header header{};
        if (fields & 1) header.extra = reinterpret_cast<Bytef*>(extra.data()), header.extra_len = uInt(extra.size());
        if (fields & 2) header.name = reinterpret_cast<Bytef*>(name.data());
        if (fields & 4) header.comment = reinterpret_cast<Bytef*>(comment.data());
        header.hcrc = fields & 8;
        std::string bytes = packed(text, {6, 31, 0}, &header);
        std::vector<unsigned char> out;
        Fault fault;
        REQUIRE(inflate_gzip(bytes + bytes, "f", out, fault));
        CHECK(std::string(out.begin(), out.end()) == text + text);
        for (size_t length = 1; length < bytes.size(); ++length) {
            Fault cut;
            CHECK_FALSE(inflate_gzip(bytes + bytes.substr(0, length), "f", out, cut));
            CHECK(cut.message.find("ends early") != std::string::npos);
        }
        for (size_t place : {size_t(0), size_t(2), bytes.size() - 8, bytes.size() - 1}) {
            std::string broken = bytes;
            broken[place] ^= 1;
            Fault damage;
            CHECK_FALSE(inflate_gzip(broken, "f", out, damage));
            CHECK(damage.message.find("damaged at byte") != std::string::npos);
        }
        if (!(fields & 8)) continue;
        std::string renamed = bytes;
        renamed[4] ^= 1; // its time, which the header's checksum covers
        Fault damage;
        CHECK_FALSE(inflate_gzip(renamed, "f", out, damage));
    }
}
