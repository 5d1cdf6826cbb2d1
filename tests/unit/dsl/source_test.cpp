// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Places count characters: a tab is one, a byte order mark and the \r of a line end none.
#include "dsl/source.h"
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace gradc;

TEST_CASE("a place is a line and a column in characters") {
    struct Row {
        const char* text;
        uint32_t offset, line, column;
    };
    for (const Row& row : {Row{"abc", 0, 1, 1}, Row{"abc", 3, 1, 4}, Row{"a\nb", 2, 2, 1}, Row{"a\r\nb", 3, 2, 1},
                           Row{"\tx", 1, 1, 2}, Row{"\xC3\xA4x", 2, 1, 2}, Row{"\xEF\xBB\xBFx", 3, 1, 1},
                           Row{"a\n", 2, 2, 1}, Row{"", 0, 1, 1}, Row{"\xE4\xB8\xAD\xF0\x9F\x98\x80x", 7, 1, 3}}) {
        Sources sources;
        sources.add({"t", row.text});
        Place place = sources.place(0, row.offset);
        CAPTURE(row.text, row.offset);
        CHECK(place.line == row.line);
        CHECK(place.column == row.column);
    }
}

TEST_CASE("a line is given without its end") {
    Sources sources;
    sources.add({"t", "\xEF\xBB\xBF"
                      "one\r\ntwo\n\nfour"});
    CHECK(sources.line(0, 1) == "one");
    CHECK(sources.line(0, 2) == "two");
    CHECK(sources.line(0, 3) == "");
    CHECK(sources.line(0, 4) == "four");
    CHECK(sources.line(0, 5) == "");
}

TEST_CASE("spans join within a source") {
    CHECK(join({0, 3, 5}, {0, 1, 4}) == Span{0, 1, 5});
    CHECK(join({}, {0, 1, 4}) == Span{0, 1, 4});
    CHECK(join({0, 3, 5}, {1, 1, 4}) == Span{0, 3, 5});
    Sources sources;
    sources.add({"t", "abc"});
    CHECK(sources.text({0, 1, 2}) == "b");
    CHECK(sources.text({0, 2, 9}) == "c");
    CHECK(sources.text({}) == "");
}

TEST_CASE("only regular files are read") {
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("gradc_source_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    std::string file = (folder / "a.grad").string(), fifo = (folder / "fifo").string();
    FILE* stream = std::fopen(file.c_str(), "wb");
    REQUIRE(stream);
    std::fputs("fn f(x) = x\n", stream);
    std::fclose(stream);
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);

    FileReader reader;
    std::string reason;
    CHECK(reader.read(file, reason) == "fn f(x) = x\n");
    CHECK(reason.empty());
    CHECK(!reader.read(folder.string(), reason));
    CHECK(reason == "it is a folder");
    CHECK(!reader.read(fifo, reason)); // and does not wait for a writer
    CHECK(reason == "it is a FIFO");
    CHECK(!reader.read("/dev/null", reason));
    CHECK(reason == "it is a device");
    CHECK(!reader.read((folder / "none").string(), reason));
    CHECK(reason == "there is no such file");
    std::filesystem::remove_all(folder);
}
