// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See dictionary.h.
#include "runtime/data/dictionary.h"
#include "runtime/base/hash.h"
#include "runtime/base/json.h"
#include "runtime/base/text.h"
#include <algorithm>

namespace gradc::runtime {

Dictionary::Dictionary(std::vector<std::string> sorted, std::string other)
    : strings_(std::move(sorted)), other_(std::move(other)), first_(other_.empty() ? 0 : 1) {
    std::fill(std::begin(of_byte_), std::end(of_byte_), first_ - 1);
    for (size_t i = 0; i < strings_.size(); i++) {
        bool ascii = strings_[i].size() == 1 && static_cast<unsigned char>(strings_[i][0]) < 128;
        if (ascii) of_byte_[size_t(strings_[i][0])] = int64_t(i) + first_;
    }
}

Dictionary Dictionary::of_characters(std::string_view characters, bool other) {
    std::vector<std::string> strings;
    for (size_t at = 0; at < characters.size();) {
        size_t begin = at;
        if (next_character(characters, at) < 0) at = begin + 1;
        strings.emplace_back(characters.substr(begin, at - begin));
    }
    return Dictionary(std::move(strings), other ? "\uFFFD" : "");
}

int64_t Dictionary::code(std::string_view string) const {
    if (string.size() == 1 && static_cast<unsigned char>(string[0]) < 128) return of_byte_[size_t(string[0])];
    auto found = std::lower_bound(strings_.begin(), strings_.end(), string, std::less<>());
    return found != strings_.end() && *found == string ? found - strings_.begin() + first_ : first_ - 1;
}

std::string_view Dictionary::spelling(int64_t code) const {
    return code < first_ ? std::string_view(other_) : strings_[size_t(code - first_)];
}

std::string other_spelling(const gradc_field& field) { return !field.other ? "" : is_text(field) ? "\uFFFD" : "other"; }

int64_t dictionary_room(const gradc_field& field) {
    if (is_text(field)) return Dictionary::of_characters(field.alphabet, field.other != 0).size();
    return field.strings == GRADC_WORDS ? field.shape[0] : field.high + 1;
}

const Dictionary* find_dictionary(const Dictionaries& dictionaries, std::string_view field) {
    for (const FieldDictionary& each : dictionaries) {
        if (each.field == field) return &each.dictionary;
    }
    return nullptr;
}

void add_alphabets(const gradc_dataset& table, Dictionaries& dictionaries) {
    for (int32_t f = 0; f < table.field_count; f++) {
        const gradc_field& field = table.fields[f];
        if (!is_text(field) || find_dictionary(dictionaries, field.name)) continue;
        dictionaries.push_back({field.name, Dictionary::of_characters(field.alphabet, field.other != 0)});
    }
}

// ---- checkpoints -------------------------------------------------------------------------------

static constexpr std::string_view dictionary_key = "dictionary.";

void put_dictionaries(const Dictionaries& dictionaries, Metadata& metadata) {
    for (const FieldDictionary& each : dictionaries) {
        JsonWriter list;
        list.begin_array();
        for (const std::string& string : each.dictionary.strings()) list.string(string);
        add_metadata(metadata, text(dictionary_key, each.field), list.end_array().text());
    }
}

bool take_dictionaries(const gradc_dataset& table, const Metadata& metadata, const std::string& path,
                       Dictionaries& dictionaries, Error& error) {
    for (int32_t f = 0; f < table.field_count; f++) {
        const gradc_field& field = table.fields[f];
        std::string list = has_strings(field) ? metadata_value(metadata, text(dictionary_key, field.name)) : "";
        if (list.empty()) continue;
        JsonValue read;
        std::vector<std::string> strings;
        bool valid = read_json(list, read) && read.kind == JsonValue::Kind::array;
        for (const JsonValue& item : read.items) {
            valid &= item.kind == JsonValue::Kind::string && (strings.empty() || strings.back() < item.string);
            strings.push_back(item.string);
        }
        if (!valid) return error.fail(path, ": error: the dictionary of ", field.name, " is damaged");
        Dictionary dictionary(std::move(strings), other_spelling(field));
        int64_t own = dictionary_room(field);
        if (is_text(field) ? dictionary.size() != own : dictionary.size() > own)
            return error.fail(path, ": error: the dictionary of ", field.name, " has ", dictionary.size(),
                              " entries, but this trainer was built for ", own);
        dictionaries.push_back({field.name, std::move(dictionary)});
    }
    return true;
}

// ---- strings as they are read ------------------------------------------------------------------

void ReadStrings::add(std::string_view string, const std::string& path, int64_t line) {
    recent_.resize(1 << 16, -1);
    int32_t& recent = recent_[Hash::of(string) % recent_.size()];
    if (recent >= 0 && spelling(recent) == string) return numbers_.push_back(recent);
    auto known = known_.find(string);
    if (known == known_.end()) {
        known = known_.emplace(std::string(string), int32_t(first_.size())).first;
        if (files_.empty() || files_.back() != path) files_.push_back(path);
        first_.push_back({&known->first, int64_t(files_.size()) - 1, line});
    }
    numbers_.push_back(recent = known->second);
}

std::span<const int32_t> ReadStrings::row(int64_t number) const {
    int64_t begin = number > 0 ? ends_[size_t(number) - 1] : 0;
    return {numbers_.data() + begin, size_t(ends_[size_t(number)] - begin)};
}

std::vector<std::string> ReadStrings::commonest(const std::vector<int64_t>& rows, int64_t most) const {
    if (most < 1) return {};
    std::vector<int64_t> counts(first_.size(), 0);
    for (int64_t each : rows) {
        for (int32_t number : row(each)) counts[size_t(number)]++;
    }
    std::vector<int64_t> ordered = counts;
    std::sort(ordered.begin(), ordered.end());
    // All strings above this count are taken, and of those with this count as many as there is room for.
    int64_t least = most < int64_t(ordered.size()) ? std::max<int64_t>(1, ordered[ordered.size() - size_t(most)]) : 1;
    int64_t room = most - (ordered.end() - std::upper_bound(ordered.begin(), ordered.end(), least));
    std::vector<std::string> strings;
    for (const auto& [string, number] : known_) {
        int64_t count = counts[size_t(number)];
        if (count > least || (count == least && room-- > 0)) strings.push_back(string);
    }
    return strings;
}

std::vector<int64_t> ReadStrings::codes_in(const Dictionary& dictionary) const {
    std::vector<int64_t> codes;
    for (const First& each : first_) codes.push_back(dictionary.code(*each.string));
    return codes;
}

std::string ReadStrings::complaint(int64_t number) const {
    const First& first = first_[size_t(number)];
    return text(files_[size_t(first.file)], ':', first.line, ":1: error: ");
}

} // namespace gradc::runtime
