// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// zlib, with a limit on the inflated size.
#include "runtime/data/gzip.h"
#include "runtime/base/memory.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cstring>
#include <zlib.h>

namespace gradc::runtime {

namespace {

/// Inflates one member after another from `bytes` to the end of `out`, which never exceeds `most`.
class Inflater {
public:
    Inflater(std::string_view bytes, std::vector<unsigned char>& out, size_t most)
        : bytes_(bytes), out_(out), most_(most) {}
    bool make_room(const std::string& path, Error& error) {
        // The last four bytes of a file with one member are its inflated size: an estimate.
        uint32_t size = 0;
        if (bytes_.size() >= 4) memcpy(&size, bytes_.data() + bytes_.size() - 4, 4);
        size_t expected = std::min<size_t>(size, bytes_.size() * 1032); // deflate compresses no better
        if (filled_ == 0) {
            size_t room = std::min(expected + slack, most_);
            if (!fits_memory(path, room, error)) return false;
            Error lacks; // room for a second file; untouched pages use no memory
            out_.reserve(fits_memory(path, 2 * room, lacks) ? 2 * room : room);
            out_.resize(room);
        } else if (out_.size() < most_) {
            size_t room = std::min(out_.size() + out_.size() / 2 + slack, most_);
            if (room > out_.capacity() && !fits_memory(path, room, error)) return false;
            out_.resize(room);
        }
        return true;
    }
    size_t read() const { return at_; }
    size_t written() const { return filled_; }
    bool at_end() const { return at_ >= bytes_.size(); }
    bool full() const { return filled_ >= most_; }
    /// The status of zlib after a member: Z_STREAM_END, Z_OK if `out` is full, or an error.
    int member(const std::string& path, Error& error) {
        z_stream stream{};
        int status = inflateInit2(&stream, 16 + MAX_WBITS);
        while (status == Z_OK && !full()) {
            bool tight = out_.size() - filled_ < slack / 2;
            if (tight && !make_room(path, error)) break;
            status = step(stream);
        }
        inflateEnd(&stream);
        return status;
    }

private:
    static constexpr size_t slack = 1 << 16, at_once = 1 << 30; // zlib counts in 32 bits

    int step(z_stream& stream) {
        auto given = uInt(std::min(bytes_.size() - at_, at_once));
        auto room = uInt(std::min(out_.size() - filled_, at_once));
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes_.data() + at_));
        stream.avail_in = given;
        stream.next_out = out_.data() + filled_;
        stream.avail_out = room;
        int status = inflate(&stream, Z_NO_FLUSH);
        at_ += given - stream.avail_in;
        filled_ += room - stream.avail_out;
        return status;
    }

    std::string_view bytes_;
    std::vector<unsigned char>& out_;
    size_t most_;
    size_t at_ = 0, filled_ = 0;
};

} // namespace

bool inflate_gzip(std::string_view bytes, const std::string& path, std::vector<unsigned char>& out, Error& error,
                  size_t most, bool* cut) {
    Inflater inflater(bytes, out, most);
    if (!inflater.make_room(path, error)) return false;
    while (!inflater.at_end() && !inflater.full()) {
        int status = inflater.member(path, error);
        if (error) return false;
        if (status == Z_STREAM_END || inflater.full()) continue;
        if (status == Z_BUF_ERROR) {
            return error.fail(path, ": error: the gzip data ends early, after ", inflater.read(),
                              " bytes; it is truncated");
        }
        return error.fail(path, ": error: the gzip data is damaged at byte ", inflater.read());
    }
    out.resize(inflater.written());
    if (cut) *cut = inflater.full();
    return true;
}

} // namespace gradc::runtime
