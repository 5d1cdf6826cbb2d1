// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A unit is written as two lengths, its key and its object file.
#include "compiler/commands/code_cache.h"
#include <cstring>
#include <set>

namespace gradc {

namespace {

void write_length(std::string& text, size_t length) {
    uint64_t value = length;
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

} // namespace

std::string code_text(const target::CodeCache& cache) {
    size_t used = 0;
    for (const auto& [key, object] : cache.used) used += object.size();
    if (used < least_code_bytes) return {};
    std::string text;
    std::set<std::string_view> written;
    for (const auto* units : {&cache.used, &cache.known})
        for (const auto& [key, object] : *units) {
            if (text.size() + key.size() + object.size() > most_code_bytes || !written.insert(key).second) continue;
            write_length(text, key.size());
            write_length(text, object.size());
            text += key;
            text += object;
        }
    return text;
}

target::CodeCache::Units read_code(const std::string& text) {
    target::CodeCache::Units units;
    for (size_t at = 0; at < text.size();) {
        uint64_t lengths[2];
        if (text.size() - at < sizeof lengths) return {};
        std::memcpy(lengths, text.data() + at, sizeof lengths);
        at += sizeof lengths;
        size_t left = text.size() - at;
        if (lengths[0] > left || lengths[1] > left - lengths[0]) return {};
        units.emplace_back(text.substr(at, lengths[0]), text.substr(at + lengths[0], lengths[1]));
        at += lengths[0] + lengths[1];
    }
    return units;
}

} // namespace gradc
