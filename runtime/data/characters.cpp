// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reader `characters`.
#include "runtime/data/characters.h"
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <map>

namespace gradc::runtime {

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
    const Dictionary& alphabet = column.dictionary;
    if (!column.make_room(int64_t(bytes.size()), path, error)) return false;
    return for_each_character(path, bytes, error, [&](const PlacedCharacter& each) {
        int64_t code = alphabet.code(each.bytes);
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
    .one_number = true,
    .facts = characters_facts,
    .read = read_characters,
};

} // namespace gradc::runtime
