// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/util/content_hash.h"
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <unistd.h>
#include <vector>

using gradc::ContentHash;

namespace {

std::string hash_of(const std::vector<std::string>& pieces) {
    ContentHash hash;
    for (const std::string& piece : pieces) hash.add(piece);
    return hash.text();
}

std::string hash_of_file(const std::string& path) {
    ContentHash hash;
    return hash.add_file(path) ? hash.text() : "";
}

struct File {
    std::string path = (std::filesystem::temp_directory_path() / "gradc-hash-XXXXXX").string();
    explicit File(const std::string& content) {
        close(mkstemp(path.data()));
        std::ofstream(path, std::ios::binary) << content;
    }
    ~File() { unlink(path.c_str()); }
};

} // namespace

TEST_CASE("a content hash depends on the pieces, their order, their ends and each byte") {
    std::set<std::string> seen;
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
    CHECK(hash_of({}).size() == 32);
}

TEST_CASE("a file's hash is that of its content, to the last byte") {
    std::string content(600000, 'y');
    File first(content), second(content);
    CHECK(hash_of_file(first.path) == hash_of_file(second.path));
    content.back() = 'z';
    File third(content), shorter(content.substr(1)), empty("");
    CHECK(std::set{hash_of_file(first.path), hash_of_file(third.path), hash_of_file(shorter.path),
                   hash_of_file(empty.path)}
              .size() == 4);
    CHECK(hash_of_file(empty.path + ".none") == "");
    CHECK(hash_of_file(std::filesystem::temp_directory_path().string()) == ""); // a folder cannot be read
}
