// See gzip.h.
#include "runtime/data/gzip.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cstring>
#include <zlib.h>

namespace gradc::runtime {

namespace {

/// Inflates one member after another from `bytes` to the end of `out`.
class Inflater {
public:
    Inflater(std::string_view bytes, std::vector<unsigned char>& out) : bytes_(bytes), out_(out) {
        // A file's last four bytes are its size, if it is one member: what is expected, not more.
        uint32_t size = 0;
        if (bytes.size() >= 4) memcpy(&size, bytes.data() + bytes.size() - 4, 4);
        size_t expected = std::min<size_t>(size, bytes.size() * 1032); // deflate does no better
        out.reserve(2 * expected + slack); // room for a second file; untouched, it is no memory
        out.resize(expected + slack);
    }
    size_t read() const { return at_; }
    size_t written() const { return filled_; }
    bool at_end() const { return at_ >= bytes_.size(); }
    /// zlib's status behind a member: Z_STREAM_END, or what is wrong.
    int member() {
        z_stream stream{};
        int status = inflateInit2(&stream, 16 + MAX_WBITS);
        while (status == Z_OK) status = step(stream);
        inflateEnd(&stream);
        return status;
    }

private:
    static constexpr size_t slack = 1 << 16, most = 1 << 30; // zlib counts in 32 bits

    int step(z_stream& stream) {
        if (out_.size() - filled_ < slack / 2) out_.resize(out_.size() + out_.size() / 2 + slack);
        auto given = uInt(std::min(bytes_.size() - at_, most));
        auto room = uInt(std::min(out_.size() - filled_, most));
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
    size_t at_ = 0, filled_ = 0;
};

} // namespace

bool inflate_gzip(std::string_view bytes, const std::string& path, std::vector<unsigned char>& out, Fault& fault) {
    Inflater inflater(bytes, out);
    while (!inflater.at_end()) {
        int status = inflater.member();
        if (status == Z_STREAM_END) continue;
        if (status == Z_BUF_ERROR) {
            return fault.fail(path, ": error: the gzip data ends early, after ", inflater.read(),
                              " bytes; it is truncated");
        }
        return fault.fail(path, ": error: the gzip data is damaged at byte ", inflater.read());
    }
    out.resize(inflater.written());
    return true;
}

} // namespace gradc::runtime
