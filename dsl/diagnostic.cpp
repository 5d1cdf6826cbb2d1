// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A source line is shown with tabs as spaces, underlined in terminal cells, and cut to a window if it is very long.
#include "dsl/diagnostic.h"
#include "dsl/unicode.h"
#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace gradc {

namespace {

constexpr size_t widest_line = 110; // terminal cells
constexpr size_t tab_cells = 4;

struct Colours {
    std::string_view place, error, note, caret, plain;
};
constexpr Colours coloured{"\x1b[1m", "\x1b[1;31m", "\x1b[1;36m", "\x1b[1;32m", "\x1b[0m"};
constexpr Colours uncoloured{};

/// Terminal cells of a character: 0 for combining marks, 2 for East Asian wide ones and emoji.
size_t cells(uint32_t code) {
    struct Range {
        uint32_t first, last;
    };
    static constexpr Range none[] = {{0x300, 0x36F}, {0x200B, 0x200F}, {0xFE00, 0xFE0F}};
    static constexpr Range wide[] = {{0x1100, 0x115F},   {0x2E80, 0xA4CF},  {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
                                     {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
                                     {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    auto holds = [code](Range range) { return range.first <= code && code <= range.last; };
    if (std::any_of(std::begin(none), std::end(none), holds)) return 0;
    return std::any_of(std::begin(wide), std::end(wide), holds) ? 2 : 1;
}

/// A source line for a terminal: cell_at[i] is the cell of byte i.
struct Shown {
    std::vector<std::string> glyphs; // one per cell; the second cell of a wide character is empty
    std::vector<size_t> cell_at;
};

Shown show(std::string_view line) {
    Shown shown;
    for (size_t i = 0; i < line.size();) {
        Character character = decode_character(line.substr(i));
        size_t length = character.length;
        uint32_t code = character.code;
        shown.cell_at.insert(shown.cell_at.end(), length, shown.glyphs.size());
        std::string glyph = printable_character(line.substr(i), character);
        if (code == '\t') {
            shown.glyphs.insert(shown.glyphs.end(), tab_cells, " ");
        } else if (glyph != line.substr(i, length)) { // an escape
            for (char part : glyph) shown.glyphs.emplace_back(1, part);
        } else if (size_t count = cells(code); count == 0 && !shown.glyphs.empty()) {
            shown.glyphs.back() += glyph;
        } else {
            shown.glyphs.push_back(glyph);
            if (count == 2) shown.glyphs.emplace_back();
        }
        i += length;
    }
    shown.cell_at.push_back(shown.glyphs.size());
    return shown;
}

/// Cells [first, last) of a long line, with the underlined ones inside.
struct Window {
    size_t first = 0, last = 0;
};
Window window_around(size_t cells, size_t begin, size_t end) {
    if (cells <= widest_line) return {0, cells};
    size_t middle = end - begin < widest_line ? (begin + end) / 2 : begin + widest_line / 2;
    size_t first = middle > widest_line / 2 ? middle - widest_line / 2 : 0;
    first = std::min(first, cells - widest_line);
    return {first, first + widest_line};
}

/// The part of a line that is read; a line may be a whole large file.
struct Part {
    std::string_view text;
    uint32_t start; // byte offset in the source
    bool cut_before, cut_behind;
};
Part part_around(std::string_view line, const std::string& source, uint32_t offset) {
    constexpr size_t reach = 1000; // bytes to each side, more than can be shown
    auto start = static_cast<uint32_t>(line.data() - source.data());
    size_t middle = std::min<size_t>(offset - std::min(offset, start), line.size());
    size_t begin = middle > reach ? middle - reach : 0, end = std::min(middle + reach, line.size());
    auto continues = [&](size_t i) { return i < line.size() && (line[i] & 0xC0) == 0x80; };
    while (begin > 0 && begin < middle && continues(begin)) ++begin; // at the beginning of a character
    return {line.substr(begin, end - begin), static_cast<uint32_t>(start + begin), begin > 0, end < line.size()};
}

/// A message with names and texts of the model made printable; they may have any length and hold any bytes.
std::string told(std::string_view message) {
    constexpr size_t longest_name = 80, longest_path = 400, longest_message = 4000;
    std::string result;
    for (size_t i = 0; i < message.size();) {
        size_t end = std::min(message.find(' ', i), message.size());
        std::string_view word = message.substr(i, end - i);
        bool path = word.find('/') != word.npos;
        result += shortened(word, path ? longest_path : longest_name);
        if (end < message.size()) result += ' ';
        i = end + 1;
    }
    return printable(shortened(result, longest_message));
}

/// The two lines that show a span: its source line and its underline with `note` beside it.
std::string excerpt(const Sources& sources, Span span, uint32_t caret, std::string_view note, const Colours& colours) {
    Place place = sources.place(span.source, span.begin);
    Part part = part_around(sources.line(span.source, place.line), sources.all[span.source].text, span.begin);
    std::string_view line = part.text;
    Shown shown = show(line);
    uint32_t start = part.start;
    auto cell = [&](uint32_t offset) {
        return shown.cell_at[std::min<size_t>(offset - std::min(offset, start), line.size())];
    };
    size_t begin = cell(span.begin), end = std::max(cell(span.end), begin + 1);
    size_t caret_cell = std::clamp(cell(caret), begin, end - 1);
    Window window = window_around(shown.glyphs.size(), begin, end);
    std::string shown_text, underline;
    for (size_t i = window.first; i < window.last; ++i) shown_text += shown.glyphs[i];
    shown_text.erase(shown_text.find_last_not_of(' ') + 1);
    for (size_t i = window.first; i < std::min(end, std::max(window.last, begin + 1)); ++i)
        underline += i < begin ? ' ' : i == caret_cell ? '^' : '~';
    std::string_view cut_before = window.first > 0 || part.cut_before ? ".. " : "";
    bool cut_behind = window.last < shown.glyphs.size() || part.cut_behind;
    std::string result = fmt::format("{:5} |{}{}{}{}\n", place.line, shown_text.empty() ? "" : " ", cut_before,
                                     shown_text, cut_behind ? " .." : "");
    return result + fmt::format("      | {}{}{}{}{}{}\n", std::string(cut_before.size(), ' '), colours.caret, underline,
                                note.empty() ? "" : " ", told(note), colours.plain);
}

std::string headline(const Sources& sources, Span span, std::string_view kind, std::string_view message,
                     std::string_view colour, const Colours& colours) {
    std::string place;
    if (span.source < sources.all.size()) {
        Place at = sources.place(span.source, span.begin);
        place = fmt::format("{}{}:{}:{}:{} ", colours.place, printable(sources.all[span.source].name), at.line,
                            at.column, colours.plain);
    }
    return fmt::format("{}{}{}:{} {}{}{}\n", place, colour, kind, colours.plain, colours.place, told(message),
                       colours.plain);
}

/// The number of edits (insert, delete, replace, swap neighbors) between two words.
size_t distance(std::string_view a, std::string_view b) {
    std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, now);
    }
    return last[b.size()];
}

std::string lower(std::string_view word) {
    std::string result(word);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

} // namespace

std::string_view name(Code code) {
    static constexpr std::string_view names[] = {
#define X(name, text) text,
        GRADC_DIAGNOSTIC_CODES(X)
#undef X
    };
    return names[static_cast<size_t>(code)];
}

Diagnostic& Diagnostics::report(Code code, Span span, std::string message, std::string caret, std::string repair) {
    Diagnostic diagnostic{code, span, std::move(message), std::move(caret), std::move(repair), {}, {}};
    if (++count_ <= limit) {
        all_.push_back(std::move(diagnostic));
        return all_.back();
    }
    return overflow_ = std::move(diagnostic);
}

void Diagnostics::warn(Code code, Span span, std::string message, std::string caret, std::string repair) {
    for (const Diagnostic& each : warnings_)
        if (each.span == span && each.message == message) return;
    if (warnings_.size() < limit)
        warnings_.push_back({code, span, std::move(message), std::move(caret), std::move(repair), {}, {}, true});
}

std::string print(const Diagnostic& diagnostic, const Sources& sources, bool color) {
    const Colours& colours = color ? coloured : uncoloured;
    std::string_view kind = diagnostic.warning ? "warning" : "error";
    std::string result = headline(sources, diagnostic.span, kind, diagnostic.message, colours.error, colours);
    if (diagnostic.span.source < sources.all.size())
        result += excerpt(sources, diagnostic.span, diagnostic.caret_at.value_or(diagnostic.span.begin),
                          diagnostic.caret, colours);
    else if (!diagnostic.caret.empty()) result += fmt::format("      | {}\n", told(diagnostic.caret));
    if (!diagnostic.repair.empty()) result += fmt::format("      = {}\n", told(diagnostic.repair));
    for (const Remark& remark : diagnostic.remarks) {
        result += headline(sources, remark.span, "note", remark.message, colours.note, colours);
        if (remark.span.source < sources.all.size())
            result += excerpt(sources, remark.span, remark.span.begin, {}, colours);
    }
    return result;
}

std::string print(const Diagnostics& diagnostics, const Sources& sources, bool color) {
    std::string result;
    for (const auto* list : {&diagnostics.warnings(), &diagnostics.all()})
        for (const Diagnostic& diagnostic : *list) result += print(diagnostic, sources, color);
    size_t more = diagnostics.count() - diagnostics.all().size();
    if (more > 0) result += fmt::format("{} more error{} not shown\n", more, more == 1 ? " is" : "s are");
    return result;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
    constexpr size_t longest_word = 64;
    if (word.empty() || word.size() > longest_word) return std::nullopt;
    std::string wanted = lower(word);
    size_t best = std::max<size_t>(1, word.size() / 3) + 1;
    std::optional<std::string> found;
    for (const std::string& candidate : candidates) {
        if (candidate == word || candidate.empty() || candidate.size() > longest_word) continue;
        size_t edits = distance(wanted, lower(candidate));
        // A word of one or two letters is near to every word: it needs the same letters.
        if (edits >= best || edits >= std::min(word.size(), candidate.size())) continue;
        best = edits;
        found = candidate;
    }
    return found;
}

} // namespace gradc
