// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines end at \n, and a \r before it belongs to the line end. A byte order mark at the start is no column; each
// invalid byte is one column.
#include "dsl/source.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gradc {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr size_t largest_file = 16u << 20; // bytes; spans have 32 bits

std::vector<uint32_t> line_starts_of(std::string_view text) {
    std::vector<uint32_t> starts{0};
    for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
        starts.push_back(static_cast<uint32_t>(at + 1));
    return starts;
}

/// The index of the line that holds `offset`, from 0.
size_t line_index(const Source& source, uint32_t offset) {
    auto after = std::upper_bound(source.line_starts.begin(), source.line_starts.end(), offset);
    return static_cast<size_t>(after - source.line_starts.begin()) - 1;
}

std::string what_it_is(mode_t mode) {
    if (S_ISDIR(mode)) return "it is a folder";
    if (S_ISFIFO(mode)) return "it is a FIFO";
    if (S_ISCHR(mode) || S_ISBLK(mode)) return "it is a device";
    if (S_ISSOCK(mode)) return "it is a socket";
    return "it is not a regular file";
}

/// Closes the file when the reader returns.
struct OpenFile {
    int descriptor;
    ~OpenFile() { close(descriptor); }
};

} // namespace

Span join(Span a, Span b) {
    if (!a.known()) return b;
    if (!b.known() || a.source != b.source) return a;
    return {a.source, std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

uint32_t Sources::add(Source source) {
    source.line_starts = line_starts_of(source.text);
    all.push_back(std::move(source));
    return static_cast<uint32_t>(all.size() - 1);
}

std::string_view Sources::text(Span span) const {
    if (span.source >= all.size()) return {};
    std::string_view text = all[span.source].text;
    size_t begin = std::min<size_t>(span.begin, text.size());
    return text.substr(begin, std::max(span.begin, span.end) - span.begin);
}

Place Sources::place(uint32_t source, uint32_t offset) const {
    const Source& file = all.at(source);
    size_t line = line_index(file, offset);
    std::string_view before = std::string_view(file.text).substr(
        file.line_starts[line], std::min<size_t>(offset, file.text.size()) - file.line_starts[line]);
    if (line == 0 && before.starts_with(byte_order_mark)) before.remove_prefix(byte_order_mark.size());
    auto characters = std::count_if(before.begin(), before.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
    return {static_cast<uint32_t>(line + 1), static_cast<uint32_t>(characters + 1)};
}

std::string_view Sources::line(uint32_t source, uint32_t line) const {
    const Source& file = all.at(source);
    if (line == 0 || line > file.line_starts.size()) return {};
    std::string_view text = file.text;
    uint32_t begin = file.line_starts[line - 1];
    size_t end = line < file.line_starts.size() ? file.line_starts[line] - 1 : text.size();
    text = text.substr(begin, end - begin);
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (line == 1 && text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    return text;
}

std::optional<std::string> FileReader::read(const std::string& path, std::string& reason) {
    // O_NONBLOCK: opening a FIFO without a writer must not block.
    OpenFile file{open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    struct stat about{};
    if (file.descriptor < 0 || fstat(file.descriptor, &about) != 0) {
        reason = errno == ENOENT ? "there is no such file" : std::strerror(errno);
        return std::nullopt;
    }
    if (!S_ISREG(about.st_mode)) {
        reason = what_it_is(about.st_mode);
        return std::nullopt;
    }
    std::string text;
    char buffer[1 << 16];
    for (;;) {
        ssize_t count = ::read(file.descriptor, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            reason = std::strerror(errno);
            return std::nullopt;
        }
        if (count == 0) return text;
        text.append(buffer, static_cast<size_t>(count));
        if (text.size() > largest_file) {
            reason = fmt::format("it is longer than {} MiB", largest_file >> 20);
            return std::nullopt;
        }
    }
}

} // namespace gradc
