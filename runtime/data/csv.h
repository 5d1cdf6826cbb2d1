// CSV as RFC 4180 has it: cells between commas, quoted ones with commas, doubled quotes and line
// ends inside; LF or CRLF; a byte order mark and blank lines are passed over. The first record is a
// header if columns are asked for by name, or if one of the wanted cells is no number.
#pragma once
#include "runtime/data/characters.h"
#include "runtime/data/column.h"

namespace gradc::runtime {

/// A column to fill, one entry a record, and which cells make an entry.
struct CsvTarget {
    Column* column;
    std::vector<int64_t> numbers; // from 0; empty: by name
    std::vector<std::string> names;
    const Alphabet* alphabet = nullptr; // its one cell is text: a row of characters
};

/// Appends every record of `path` to the columns. `compact`: numbered columns are those that are
/// left where all others were taken away, if the file has exactly so many.
bool read_csv(const std::string& path, std::vector<CsvTarget>& targets, Fault& fault, bool compact = false);

/// The records of a CSV text, one at a time.
class CsvReader {
public:
    struct Cell {
        std::string_view text; // without the quotes around it; doubled quotes still doubled
        bool quoted = false;
    };
    CsvReader(std::string_view text, std::string path);
    /// False at the end, or with a fault.
    bool next(std::vector<Cell>& cells, Fault& fault);
    int64_t line() const { return record_line_; } // where the last record began, from 1
    const std::string& path() const { return path_; }

private:
    bool quoted_cell(Cell& cell, size_t column, Fault& fault);
    std::string_view text_;
    std::string path_;
    size_t at_ = 0;
    int64_t line_ = 1, record_line_ = 1;
};

} // namespace gradc::runtime
