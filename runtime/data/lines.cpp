// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reader `lines`: rows of UTF-8 text, one a line, with parts between tabs, one for each field. A part is a label,
// which is one string, or a text, whose words are counted.
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include "runtime/data/characters.h"

namespace gradc::runtime {

namespace {

/// Letters are those of ASCII and all characters from U+00C0 on, except multiplication and division signs, and
/// punctuation (U+2000 to U+2BFF, U+3000 to U+303F).
bool is_letter(int64_t character) {
    if (character < 128) return (character | 32) >= 'a' && (character | 32) <= 'z';
    bool sign = character == 0xD7 || character == 0xF7;
    bool punctuation = (character >= 0x2000 && character < 0x2C00) || (character >= 0x3000 && character < 0x3040);
    return character >= 0xC0 && !sign && !punctuation;
}

/// The small letter of a capital one: ASCII, Latin-1, Greek, Cyrillic.
int64_t small_letter(int64_t character) {
    bool thirty_two_before = (character >= 'A' && character <= 'Z') || (character >= 0xC0 && character <= 0xDE) ||
                             (character >= 0x391 && character <= 0x3A9) || (character >= 0x410 && character <= 0x42F);
    if (thirty_two_before) return character + 32;
    return character >= 0x400 && character <= 0x40F ? character + 80 : character;
}

void append_small(std::string_view bytes, int64_t character, std::string& word) {
    int64_t small = small_letter(character);
    if (small == character) {
        word += bytes;
    } else if (small < 128) {
        word += char(small);
    } else { // all have two bytes
        word += char(0xC0 | small >> 6);
        word += char(0x80 | (small & 63));
    }
}

void add_words(std::string_view part, const std::string& path, int64_t line, ReadStrings& strings) {
    std::string word;
    for (size_t at = 0; at < part.size();) {
        size_t begin = at;
        int64_t character = next_character(part, at);
        bool letter = is_letter(character);
        if (letter) append_small(part.substr(begin, at - begin), character, word);
        if (word.empty() || (letter && at < part.size())) continue;
        strings.add(word, path, line);
        word.clear();
    }
}

/// One line of a file.
struct Line {
    const std::string& path;
    std::string_view text;
    int64_t number; // from 1
};

/// Visits the lines that are not blank. False after an error.
template <class Take>
bool for_each_line(const std::string& path, std::string_view text, Error& error, const Take& take) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    bool any = false;
    for (int64_t number = 1; !text.empty(); number++) {
        size_t end = std::min(text.find('\n'), text.size());
        Line line{path, text.substr(0, end), number};
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.text.ends_with('\r')) line.text.remove_suffix(1);
        int64_t place = 1;
        for (size_t at = 0; at < line.text.size(); place++) {
            size_t begin = at;
            if (next_character(line.text, at) < 0)
                return error.fail(path, ':', number, ':', place, ": error: ", not_utf8(line.text, begin));
        }
        if (line.text.find_first_not_of(" \t") == std::string_view::npos) continue;
        any = true;
        if (!take(line)) return false;
    }
    return any || error.fail(path, ":1:1: error: the file has only blank lines");
}

/// The field's part; the last one is all that follows. A line without tabs is the last part, if no other is read.
bool find_part(const Line& line, const gradc_field& field, bool alone, std::string_view& part, Error& error) {
    int64_t count = field.record, wanted = field.offset;
    part = line.text;
    if (alone && wanted == count - 1 && part.find('\t') == std::string_view::npos) return true;
    for (int64_t i = 0; i < count - 1; i++) {
        size_t tab = part.find('\t');
        if (tab == std::string_view::npos) {
            return error.fail(line.path, ':', line.number, ":1: error: a line has ", count,
                              " parts between tabs, this one has ", i + 1, ": ", quoted(line.text));
        }
        if (i == wanted) return part = part.substr(0, tab), true;
        part.remove_prefix(tab + 1);
    }
    return true;
}

bool add_part(const Line& line, std::string_view part, Column& column, Error& error) {
    if (column.field->strings == GRADC_WORDS) {
        add_words(part, line.path, line.number, column.strings);
    } else if (part.empty()) {
        return error.fail(line.path, ':', line.number, ":1: error: ", column.field->name, " is empty");
    } else {
        column.strings.add(part, line.path, line.number);
    }
    column.strings.end_row();
    column.entries++;
    return true;
}

bool read_into(const std::vector<Column*>& columns, const std::string& path, DataFile& file, Error& error) {
    if (!file.open_text(path, error)) return false;
    return for_each_line(path, file.bytes(), error, [&](const Line& line) {
        for (Column* column : columns) {
            std::string_view part;
            if (!find_part(line, *column->field, columns.size() == 1, part, error) ||
                !add_part(line, part, *column, error))
                return false;
        }
        return true;
    });
}

bool lines_facts(const std::string& path, const Selection& selection, DataFile& file, FileFacts& facts, Error& error) {
    gradc_field field{};
    field.name = "the field";
    field.record = selection.record, field.offset = selection.offset, field.strings = selection.strings;
    Column column(field);
    bool read = read_into({&column}, path, file, error);
    facts.shape = {column.entries};
    if (selection.strings == GRADC_WORDS) facts.shape.push_back(column.strings.count() + 1); // and all other words
    facts.take(double(column.strings.count()) - 1);
    return read;
}

bool read_lines(const std::string& path, const std::vector<Column*>& columns, Error& error) {
    DataFile file;
    return read_into(columns, path, file, error);
}

} // namespace

constinit const FileReader lines_reader{
    .name = "lines",
    .suffix = "",
    .takes_parts = true,
    .reads_strings = true,
    .facts = lines_facts,
    .read = read_lines,
};

} // namespace gradc::runtime
