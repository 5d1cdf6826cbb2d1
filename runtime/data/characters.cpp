// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reader `characters`, and the alphabet.
#include "runtime/data/characters.h"
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <map>

namespace gradc::runtime {

Alphabet::Alphabet(std::string_view characters) {
    std::fill(std::begin(ascii_), std::end(ascii_), -1);
    for (size_t at = 0; at < characters.size();) {
        size_t begin = at;
        int64_t character = next_character(characters, at);
        if (character < 0) character = 0xFFFD, at = begin + 1;
        int64_t code = int64_t(spelling_.size());
        spelling_.emplace_back(characters.substr(begin, at - begin));
        if (character < 128) ascii_[character] = code;
        by_character_.push_back({uint32_t(character), code});
    }
    std::sort(by_character_.begin(), by_character_.end());
}

int64_t Alphabet::code(uint32_t character) const {
    if (character < 128) return ascii_[character];
    auto found =
        std::lower_bound(by_character_.begin(), by_character_.end(), std::pair<uint32_t, int64_t>(character, 0));
    return found != by_character_.end() && found->first == character ? found->second : -1;
}

namespace {

bool characters_facts(const std::string& path, const Selection&, DataFile& file, FileFacts& facts, Error& error) {
    if (!file.open_text(path, error)) return false;
    std::map<int64_t, std::string_view> known;
    int64_t length = 0;
    bool read = for_each_character(path, file.bytes(), error, [&](const PlacedCharacter& each) {
        known.emplace(each.code, each.bytes);
        length++;
        return true;
    });
    for (const auto& [code, bytes] : known) facts.alphabet += bytes;
    facts.shape = {length};
    facts.take(double(known.size()) - 1);
    return read;
}

bool read_text(const std::string& path, Column& column, Error& error) {
    DataFile file;
    if (!file.open_text(path, error)) return false;
    std::string_view bytes = file.bytes();
    Alphabet alphabet(column.field->alphabet);
    if (!column.make_room(int64_t(bytes.size()), path, error)) return false;
    return for_each_character(path, bytes, error, [&](const PlacedCharacter& each) {
        int64_t code = alphabet.code(uint32_t(each.code));
        if (code < 0) {
            return error.fail(path, ':', each.line, ':', each.place, ": error: the character ", quoted(each.bytes),
                              " is not in the alphabet of ", column.field->name, ", which has ", alphabet.size());
        }
        store_element(column.grow(1), column.field->stored, double(code));
        return true;
    });
}

bool read_characters(const std::string& path, const std::vector<Column*>& columns, Error& error) {
    return std::all_of(columns.begin(), columns.end(), [&](Column* each) { return read_text(path, *each, error); });
}

} // namespace

constinit const FileReader characters_reader{
    .name = "characters",
    .suffix = ".txt",
    .stored = GRADC_I32,
    .is_text = true,
    .facts = characters_facts,
    .read = read_characters,
};

} // namespace gradc::runtime
