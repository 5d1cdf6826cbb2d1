// See gzip.h.
#include "runtime/data/gzip.h"
#include "runtime/data/inflate.h"
#include "runtime/text.h"
#include <algorithm>
#include <cstring>
#include <zlib.h>

namespace gradc::runtime {

namespace {

void make_room(std::string_view bytes, std::vector<unsigned char>& out) {
    constexpr size_t slack = 1 << 16;
    // A file's last four bytes are its size, if it is one member: what is expected, not more.
    uint32_t size = 0;
    if (bytes.size() >= 4) memcpy(&size, bytes.data() + bytes.size() - 4, 4);
    size_t expected = std::min<size_t>(size, bytes.size() * 1032); // deflate does no better
    out.reserve(2 * expected + slack); // room for a second file; untouched, it is no memory
    out.resize(expected + slack);
}

/// Where a member's deflate stream begins; 0 if the header is cut off or is none.
size_t after_header(std::string_view bytes, size_t at, Inflation& fault) {
    auto byte = [&](size_t place) { return static_cast<unsigned char>(bytes[place]); };
    fault = Inflation::ends_early;
    size_t place = at + 10;
    if (bytes.size() < place) {
        bool begins = std::string_view("\x1f\x8b\x08").substr(0, bytes.size() - at) == bytes.substr(at, 3);
        if (!begins) fault = Inflation::damaged;
        return 0;
    }
    unsigned flags = byte(at + 3);
    if (bytes.substr(at, 3) != "\x1f\x8b\x08" || (flags & 0xe0) != 0) return fault = Inflation::damaged, 0;
    if (flags & 4) { // more fields, of a length that is told
        if (bytes.size() < place + 2) return 0;
        place += 2 + (size_t(byte(place)) | size_t(byte(place + 1)) << 8);
    }
    for (unsigned text : {8u, 16u}) { // a name, a comment
        if (!(flags & text)) continue;
        place = place < bytes.size() ? bytes.find('\0', place) : bytes.npos;
        if (place == bytes.npos) return 0;
        place++;
    }
    if (flags & 2) { // a checksum of the header
        if (bytes.size() < place + 2) return 0;
        auto sum = crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + at), uInt(place - at));
        unsigned kept = unsigned(byte(place)) | unsigned(byte(place + 1)) << 8;
        if ((sum & 0xffff) != kept) return fault = Inflation::damaged, 0;
        place += 2;
    }
    return place <= bytes.size() ? place : 0;
}

/// One member: header, stream, checksum and size.
Inflation member(std::string_view bytes, Inflater& inflater, const std::vector<unsigned char>& out) {
    Inflation result;
    size_t before = inflater.filled, begin = after_header(bytes, inflater.at, result);
    if (begin == 0) return result;
    inflater.at = begin;
    result = inflater.stream();
    if (result != Inflation::whole) return result;
    if (bytes.size() - inflater.at < 8) return inflater.at = bytes.size(), Inflation::ends_early;
    uint32_t sums[2];
    memcpy(sums, bytes.data() + inflater.at, sizeof sums);
    size_t size = inflater.filled - before;
    bool right = sums[0] == crc32_z(0, out.data() + before, size) && sums[1] == uint32_t(size);
    if (right) inflater.at += sizeof sums;
    return right ? Inflation::whole : Inflation::damaged;
}

} // namespace

bool inflate_gzip(std::string_view bytes, const std::string& path, std::vector<unsigned char>& out,
                  Fault& fault) {
    make_room(bytes, out);
    Inflater inflater(bytes, out);
    while (inflater.at < bytes.size()) {
        Inflation result = member(bytes, inflater, out);
        if (result == Inflation::ends_early) {
            return fault.fail(path, ": error: the gzip data ends early, after ", bytes.size(),
                              " bytes; it is truncated");
        }
        if (result == Inflation::damaged)
            return fault.fail(path, ": error: the gzip data is damaged at byte ", inflater.at);
    }
    out.resize(inflater.filled);
    return true;
}

} // namespace gradc::runtime
