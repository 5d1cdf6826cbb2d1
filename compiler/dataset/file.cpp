// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CSV, IDX, NPY and text, as far as sizes, largest numbers and alphabets need; see file.h.
#include "compiler/dataset/file.h"
#include "runtime/data/array_files.h"
#include "runtime/data/characters.h"
#include "runtime/data/csv.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace gradc {

namespace {

constexpr double none = -std::numeric_limits<double>::infinity();
using Cells = std::vector<runtime::CsvReader::Cell>;

void take_largest(double number, double& largest) { // the trainer refuses what is not finite, and tells where
    if (std::isfinite(number)) largest = std::max(largest, number);
}

/// Which cells are wanted, seen at the first record; false after a fault.
bool find_wanted(const runtime::CsvReader& reader, const Cells& first, const std::vector<int64_t>& numbers,
                 const std::vector<std::string>& names, std::vector<size_t>& wanted, runtime::Error& error) {
    std::vector<std::string> header;
    for (const auto& cell : first) header.push_back(runtime::cell_text(cell));
    for (const std::string& name : names) {
        int64_t found = runtime::find_column(reader, header, name, error);
        if (found < 0) return false;
        wanted.push_back(size_t(found));
    }
    for (int64_t number : numbers) {
        if (number >= int64_t(first.size())) return runtime::lacks_column(reader, "the field", number, first, error);
        wanted.push_back(size_t(number));
    }
    if (!wanted.empty()) return true;
    wanted.resize(first.size());
    std::iota(wanted.begin(), wanted.end(), 0);
    return true;
}

std::optional<ArrayFacts> read_array(runtime::ArrayFormat format, const std::string& place, runtime::DataFile& file,
                                     runtime::Error& error) {
    runtime::FileArray array;
    if (!runtime::open_array(format, place, file, array, error)) return {};
    ArrayFacts facts{array.shape, none};
    const auto* numbers = reinterpret_cast<const unsigned char*>(array.payload.data());
    for (int64_t i = 0; i < array.count(); ++i)
        take_largest(runtime::read_number(numbers + i * array.number.size, array.number), facts.largest);
    return facts;
}

} // namespace

std::optional<std::string> find_data_file(const std::string& path, const std::vector<std::string>& folders,
                                          std::vector<std::string>& places) {
    if (!path.empty() && path[0] == '/') {
        places.push_back(path);
        return runtime::exists(path) ? std::optional(path) : std::nullopt;
    }
    for (const std::string& folder : folders) {
        std::string place = folder.empty() || folder == "." ? path : folder + "/" + path;
        if (std::find(places.begin(), places.end(), place) != places.end()) continue;
        places.push_back(place);
        if (runtime::exists(place)) return place;
    }
    return {};
}

std::optional<TableFacts> read_table(const std::string& place, const std::vector<int64_t>& numbers,
                                     const std::vector<std::string>& names, runtime::DataFile& file,
                                     runtime::Error& error) {
    if (!file.open_text(place, error)) return {};
    runtime::CsvReader reader(file.bytes(), place);
    Cells cells;
    std::vector<size_t> wanted;
    bool any = reader.next(cells, error);
    if (!any && !error) error.fail(place, ":1:1: error: the file is empty");
    if (!any || !find_wanted(reader, cells, numbers, names, wanted, error)) return {};
    double number;
    bool header = !names.empty() || std::any_of(wanted.begin(), wanted.end(), [&](size_t cell) {
        return !runtime::cell_number(cells[cell], number);
    });
    TableFacts facts{int64_t(cells.size()), 0, none};
    for (bool more = !header || reader.next(cells, error); more; more = reader.next(cells, error)) {
        ++facts.rows;
        for (size_t cell : wanted)
            if (runtime::cell_number(cells[cell], number)) take_largest(number, facts.largest);
    }
    if (!error && !facts.rows)
        error.fail(place, ':', reader.first_line() + 1, ":1: error: there is a header but no row");
    if (error) return {};
    return facts;
}

std::optional<ArrayFacts> read_idx(const std::string& place, runtime::DataFile& file, runtime::Error& error) {
    return read_array(runtime::ArrayFormat::idx, place, file, error);
}

std::optional<ArrayFacts> read_npy(const std::string& place, runtime::DataFile& file, runtime::Error& error) {
    return read_array(runtime::ArrayFormat::npy, place, file, error);
}

std::optional<TextFacts> read_characters(const std::string& place, runtime::DataFile& file, runtime::Error& error) {
    if (!file.open_text(place, error)) return {};
    TextFacts facts;
    std::map<int64_t, std::string_view> letters;
    bool read = runtime::for_each_character(place, file.bytes(), error, [&](const runtime::PlacedCharacter& each) {
        letters.emplace(each.code, each.bytes);
        ++facts.length;
        return true;
    });
    if (!read) return {};
    for (const auto& [code, bytes] : letters) facts.alphabet += bytes;
    facts.letters = int64_t(letters.size());
    return facts;
}

} // namespace gradc
