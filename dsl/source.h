// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Source text and places in it. A Span names bytes of one source. Line and column are computed when a diagnostic is
// printed; columns count characters, not bytes. Sources come through SourceReader, so that the compiler works on files,
// in memory and in an editor.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradc {

/// Bytes [begin, end) of source number `source`; a default Span is "nowhere".
struct Span {
    static constexpr uint32_t nowhere = UINT32_MAX;
    uint32_t source = nowhere, begin = 0, end = 0;
    bool known() const { return source != nowhere; }
    friend bool operator==(const Span&, const Span&) = default;
};

/// The span from the first byte of `a` to the last of `b`.
Span join(Span a, Span b);

/// One file.
struct Source {
    std::string name;                       // as printed in diagnostics: "digits.grad", "std/losses.grad"
    std::string text;                       // as in the file; the parser reports invalid UTF-8
    std::vector<uint32_t> line_starts = {}; // byte offsets, filled by Sources::add
};

/// A place as shown to users.
struct Place {
    uint32_t line = 0, column = 0; // both from 1
};

/// All sources of one compilation; a Span's `source` is an index into it.
struct Sources {
    std::vector<Source> all;
    /// Adds a source and returns its number.
    uint32_t add(Source source);
    std::string_view text(Span span) const;
    /// Line and column of a byte offset.
    Place place(uint32_t source, uint32_t offset) const;
    std::string_view line(uint32_t source, uint32_t line) const; // without its line end
};

/// The source of the texts of `use "file.grad"` and the command line. Nothing if a file cannot be read; `reason` then
/// has the cause.
struct SourceReader {
    virtual ~SourceReader() = default;
    virtual std::optional<std::string> read(const std::string& path, std::string& reason) = 0;
};

/// Reads regular files of at most 16 MiB from disk. Folders, FIFOs and devices are refused with a reason.
struct FileReader : SourceReader {
    std::optional<std::string> read(const std::string& path, std::string& reason) override;
};

} // namespace gradc
