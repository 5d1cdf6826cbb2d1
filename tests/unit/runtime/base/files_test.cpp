// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// JSON, safetensors, atomic replacement of files, locks.
#include "runtime/base/dtype.h"
#include "runtime/base/files.h"
#include "runtime/base/json.h"
#include "runtime/base/safetensors.h"
#include "tests/unit/runtime/workplace.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace gradc::runtime;

TEST_CASE("JSON is written and read") {
    JsonWriter json;
    json.begin_object()
        .key("a \"b\"\n")
        .begin_array()
        .number(0.1)
        .integer(-3)
        .number(1.0 / 0.0)
        .string("é\x01")
        .begin_array()
        .end_array()
        .end_array();
    json.key("c").begin_object().end_object().end_object();
    CHECK(json.text() == "{\"a \\\"b\\\"\\n\": [0.1, -3, null, \"é\\u0001\", []], \"c\": {}}");
    JsonValue value;
    REQUIRE(read_json(json.text(), value));
    const JsonValue* items = value.find("a \"b\"\n");
    REQUIRE(items);
    CHECK(items->items[0].number == 0.1);
    CHECK(items->items[3].string == "é\x01");
    CHECK(read_json(" [true, false, null, 1e3, \"\\u00e9\\t\"] ", value));
    for (const char* bad :
         {"", "{", "[1,", "{\"a\" 1}", "[1] 2", "\"abc", "{\"a\":}", "tru", "[1 2]", "\"\\q\"", "\"\\u12\""}) {
        INFO(bad);
        JsonValue other;
        CHECK_FALSE(read_json(bad, other));
    }
    JsonValue deep;
    CHECK_FALSE(read_json(std::string(100000, '['), deep));
}

TEST_CASE("a new file has the given mode, a replaced one keeps its own and may become executable") {
    workplace::Folder folder;
    auto mode = [](const std::string& path) {
        struct stat status;
        REQUIRE(stat(path.c_str(), &status) == 0);
        return status.st_mode & 0777;
    };
    mode_t umask_before = umask(022);
    Error error;
    std::string path = folder.path("own");
    REQUIRE(write_file(path, "1", error, 0700));
    CHECK(mode(path) == 0700);
    path = folder.write("plain", "0");
    REQUIRE(chmod(path.c_str(), 0640) == 0);
    REQUIRE(write_file(path, "1", error));
    CHECK(mode(path) == 0640);
    REQUIRE(write_file(path, "2", error, 0777));
    CHECK(mode(path) == 0740);
    umask(umask_before);
}

static WrittenTensor tensor_of(const char* name, int32_t dtype, std::vector<int64_t> shape,
                               std::vector<float> numbers) {
    return {name, dtype, std::move(shape), [numbers, dtype](unsigned char* to) {
                for (size_t i = 0; i < numbers.size(); i++)
                    store_element(to + int64_t(i) * element_size(dtype), dtype, numbers[i]);
            }};
}

static std::string two_tensors(const workplace::Folder& folder) {
    std::string path = folder.path("w.safetensors");
    Error error;
    Metadata metadata{{"model", "m \"x\""}};
    REQUIRE(write_safetensors(
        path, {tensor_of("a.weight", GRADC_F32, {2, 3}, {1, 2, 3, 4, 5, 6}), tensor_of("b", GRADC_BF16, {}, {0.5f})},
        metadata, error));
    return path;
}

TEST_CASE("safetensors files are read as written") {
    workplace::Folder folder;
    std::string path = two_tensors(folder);
    SafetensorsFile file;
    Error error;
    REQUIRE(file.open(path, error));
    CHECK(metadata_value(file.metadata(), "model") == "m \"x\"");
    const StoredTensor* weight = file.find("a.weight");
    REQUIRE(weight);
    CHECK(weight->shape == std::vector<int64_t>{2, 3});
    CHECK(load_element(file.numbers(*weight) + 20, GRADC_F32) == 6);
    CHECK(load_element(file.numbers(*file.find("b")), GRADC_BF16) == 0.5);
    CHECK(folder.list() == std::vector<std::string>{"w.safetensors"});
    uint64_t length;
    memcpy(&length, workplace::read(path).data(), 8);
    CHECK(length % 8 == 0);
}

TEST_CASE("every truncation and every changed byte of a safetensors file is found") {
    workplace::Folder folder;
    std::string whole_file = workplace::read(two_tensors(folder));
    for (size_t length = 0; length < whole_file.size(); length++) {
        SafetensorsFile file;
        Error error;
        CHECK_FALSE(file.open(folder.write("cut", whole_file.substr(0, length)), error));
        CHECK(error.code == input_error);
    }
    size_t name_of_it = whole_file.find("checksum");
    for (size_t at = 0; at < whole_file.size(); at++) {
        std::string flipped = whole_file;
        flipped[at] = char(flipped[at] ^ 0x10);
        SafetensorsFile file;
        Error error;
        bool opened = file.open(folder.write("flipped", flipped), error);
        bool elsewhere = at < name_of_it || at >= name_of_it + 8;
        bool space = at > 8 && whole_file[at] == ' '; // '0' in its place is no JSON, or no change
        INFO(at << " " << whole_file[at]);
        if (elsewhere && !space) CHECK_FALSE(opened);
        if (!opened) CHECK(error.message.find("damaged") != std::string::npos);
    }
}

/// A safetensors file of that header and so many bytes.
static std::string file_of(const std::string& header, size_t bytes) {
    uint64_t length = header.size();
    return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(bytes, '\0');
}

TEST_CASE("tensors follow each other without gaps") {
    workplace::Folder folder;
    auto entry = [](const char* name, int begin, int end) {
        return std::string("\"") + name + "\": {\"dtype\": \"U8\", \"shape\": [" + std::to_string(end - begin) +
               "], \"data_offsets\": [" + std::to_string(begin) + ", " + std::to_string(end) + "]}";
    };
    auto problem = [&](const std::string& entries, size_t bytes) {
        SafetensorsFile file;
        Error error;
        std::string path = folder.write("f", file_of("{" + entries + "}", bytes)), before = path + ": error: damaged: ";
        file.open(path, error);
        return error ? error.message.substr(std::min(before.size(), error.message.size())) : "";
    };
    CHECK(problem(entry("b", 4, 8) + ", " + entry("a", 0, 4) + ", " + entry("none", 4, 4), 8) == "");
    CHECK(problem("", 0) == "");
    CHECK(problem(entry("a", 0, 4) + ", " + entry("b", 6, 8), 8) ==
          "b begins at byte 6, but the one before it ends at 4");
    CHECK(problem(entry("a", 0, 4) + ", " + entry("b", 2, 8), 8) ==
          "b begins at byte 2, but the one before it ends at 4");
    CHECK(problem(entry("a", 2, 8), 8) == "a begins at byte 2, but the one before it ends at 0");
    CHECK(problem(entry("a", 0, 4) + ", " + entry("a", 4, 8), 8) == "its header has a twice");
    CHECK(problem(entry("a", 0, 4), 8) == "its header states 4 bytes of numbers, it has 8");
    CHECK(problem(entry("a", 0, 9), 8) == "its header states 9 bytes of numbers, it has 8");
    for (const char* offsets :
         {"[0.5, 4.5]", "[-4, 0]", "[\"0\", 4]", "[1e300, 1e300]", "[0]", "[4, 0]", "[null, 4]"}) {
        INFO(offsets);
        std::string header = "\"a\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": ";
        CHECK(problem(header + offsets + "}", 4) == "its entry a is damaged");
    }
    Error error;
    WrittenTensor tensor{"twice", GRADC_U8, {1}, [](unsigned char* to) { *to = 0; }};
    CHECK_FALSE(write_safetensors(folder.path("w"), {tensor, tensor}, {}, error));
    CHECK(error.message == folder.path("w") + ": error: two tensors have the name twice");
    tensor.name = "__metadata__";
    CHECK_FALSE(write_safetensors(folder.path("w"), {tensor}, {}, error));
    CHECK(folder.list() == std::vector<std::string>{"f"});
}

TEST_CASE("a file is replaced completely or not at all") {
    workplace::Folder folder;
    std::string path = folder.write("kept", "old");
    Error error;
    {
        ReplacingFile file(path);
        REQUIRE(file.open(error));
        REQUIRE(file.write("half", error));
    }
    CHECK(workplace::read(path) == "old");
    CHECK(folder.list() == std::vector<std::string>{"kept"});
    {
        ReplacingFile file(path);
        REQUIRE(file.open(error));
        REQUIRE(file.write(std::string(1 << 20, 'x'), error));
        REQUIRE(file.commit(error));
    }
    CHECK(workplace::read(path).size() == 1 << 20);
    ReplacingFile missing(folder.path("none/file"));
    CHECK_FALSE(missing.open(error));
}

TEST_CASE("a full disk leaves the old file") {
    workplace::Folder folder;
    std::string path = folder.write("kept", "old");
    rlimit before{}, small{4096, 0};
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    Error error;
    {
        ReplacingFile file(path);
        bool written = file.open(error) && file.write(std::string(1 << 20, 'x'), error) && file.commit(error);
        CHECK_FALSE(written);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(error.message == path + ": error: cannot write it: File too large");
    CHECK(workplace::read(path) == "old");
    CHECK(folder.list() == std::vector<std::string>{"kept"});
}

TEST_CASE("a lock has one holder") {
    workplace::Folder folder;
    Error error;
    {
        FileLock first, second;
        REQUIRE(first.acquire(folder.path("c"), error));
        CHECK_FALSE(second.acquire(folder.path("c"), error));
        CHECK(error.message == folder.path("c") + ": error: another trainer is writing this checkpoint");
    }
    CHECK(folder.list().empty());
    Error none;
    FileLock third;
    CHECK(third.acquire(folder.path("c"), none));
}

TEST_CASE("the error for a missing file names every folder") {
    workplace::Folder folder;
    Places places{{"", folder.path()}};
    Error error;
    places.find("nowhere.csv", error);
    CHECK(error.message == "nowhere.csv: error: there is no such file in the current folder, " + folder.path() +
                               "; --data-dir DIR names another folder");
    folder.write("here.csv", "1");
    Error none;
    CHECK(places.find("here.csv", none) == folder.path("here.csv"));
    CHECK_FALSE(none);
}
