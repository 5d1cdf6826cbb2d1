// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The hash of content: pieces, their order and ends, and each byte change it.
#include "runtime/base/hash.h"
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

using gradc::runtime::Hash;

namespace {

uint64_t hash_of(const std::vector<std::string>& pieces) {
    Hash hash;
    for (const std::string& piece : pieces) hash.add(piece);
    return hash.value();
}

} // namespace

TEST_CASE("a hash differs for other pieces, another order, other ends and each changed bit") {
    std::set<uint64_t> seen;
    std::vector<std::vector<std::string>> all = {{},
                                                 {""},
                                                 {"", ""},
                                                 {"ab", "c"},
                                                 {"a", "bc"},
                                                 {"abc"},
                                                 {"c", "ab"},
                                                 {"abc", ""},
                                                 {std::string(1, '\0')},
                                                 {std::string(8, '\0')},
                                                 {std::string(9, '\0')}};
    for (const auto& pieces : all) seen.insert(hash_of(pieces));
    size_t count = all.size();
    std::string text(100, 'x');
    for (size_t at = 0; at < text.size(); ++at)
        for (int bit = 0; bit < 8; ++bit, ++count) {
            std::string changed = text;
            changed[at] = char(changed[at] ^ (1 << bit));
            seen.insert(hash_of({changed}));
        }
    CHECK(seen.size() == count);
    CHECK(hash_of({"ab", "c"}) == hash_of({"ab", "c"}));
}
