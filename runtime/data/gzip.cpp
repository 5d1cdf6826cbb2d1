// See gzip.h.
#include "runtime/data/gzip.h"
#include "runtime/text.h"
#include <zlib.h>

namespace gradc::runtime {

/// Inflates until the end of one member; the state of `stream` says how far it came.
static int inflate_member(z_stream& stream, std::vector<unsigned char>& out, size_t& filled) {
    for (;;) {
        if (out.size() - filled < (1 << 16)) out.resize(out.size() * 2 + (1 << 20));
        uInt room = uInt(std::min<size_t>(out.size() - filled, 1 << 30));
        stream.next_out = out.data() + filled;
        stream.avail_out = room;
        int status = inflate(&stream, Z_NO_FLUSH);
        filled += room - stream.avail_out;
        if (status != Z_OK) return status;
    }
}

bool inflate_gzip(std::string_view bytes, const std::string& path, std::vector<unsigned char>& out,
                  Fault& fault) {
    size_t filled = 0;
    size_t at = 0;
    while (at < bytes.size()) {
        z_stream stream{};
        if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
            return fault.set("zlib does not start", internal_error);
        uInt given = uInt(std::min<size_t>(bytes.size() - at, 1u << 31));
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
        stream.avail_in = given;
        int status = inflate_member(stream, out, filled);
        at += given - stream.avail_in;
        inflateEnd(&stream);
        if (status == Z_STREAM_END) continue;
        if (status == Z_BUF_ERROR) {
            return fault.fail(path, ": error: the gzip data ends early, after ", at,
                              " bytes; it is truncated");
        }
        return fault.fail(path, ": error: the gzip data is damaged at byte ", at);
    }
    out.resize(filled);
    return true;
}

} // namespace gradc::runtime
