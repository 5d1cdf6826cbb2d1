// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Readers of a data set: csv("file.csv", columns: 0..64), idx("images.gz"), npy("x.npy"),
// characters("text.txt"), windows(reader, length: 65), range(100), and a literal list. Each call
// becomes a Reader; what it leaves open (shape, largest number, rows) is read from the file on
// demand, with one clear error where there is none.
#pragma once
#include "compiler/dataset/file.h"
#include "compiler/elaborate/elaborator.h"

namespace gradc {

/// True for csv, idx, npy, characters, windows and range.
bool names_reader(const std::string& callee);
const std::vector<std::string>& reader_names();

/// A reader as far as its call tells.
struct ReaderCall {
    Reader reader;
    std::optional<Shape> shape;   // of one row
    std::optional<int64_t> upper; // range(n): n; characters: how many letters
};

class ReaderElaboration {
public:
    ReaderElaboration(Elaborator& elaborator, Scope& scope) : elaborator_(elaborator), scope_(scope) {}

    /// Nothing after an error.
    std::optional<ReaderCall> read(const ast::Call& call, Span span);
    std::optional<ReaderCall> literal(const ast::Expr& list);

    // What only the file tells; nothing after an error.
    std::optional<Shape> shape_in_file(const Reader& reader);
    std::optional<int64_t> upper_in_file(const Reader& reader);
    std::optional<int64_t> rows(const Reader& reader);

private:
    Diagnostic& misuse(Span span, std::string message, std::string repair = {});
    std::optional<std::string> find(const Reader& reader, const std::string& path);
    /// By one of the functions of file.h.
    template <class Read> auto facts(const Reader& reader, const std::string& path, const Read& read);
    std::optional<TableFacts> table(const Reader& reader, const std::string& path);
    std::optional<TextFacts> text_facts(const Reader& reader, const std::string& path);
    std::optional<ArrayFacts> array(const Reader& reader, const std::string& path);
    bool allowed(const std::string& path, Span span);
    bool take_files(const ast::Call& call, ReaderCall& result, const std::vector<std::string>& options);
    bool take_columns(const ast::Expr& columns, ReaderCall& result);
    std::optional<int64_t> option(const ast::Call& call, const std::string& name, int64_t least);
    std::optional<ReaderCall> windows(const ast::Call& call, Span span);
    std::optional<ReaderCall> range(const ast::Call& call, Span span);
    bool flatten(const Term& term, Span span, size_t depth, Shape& shape, std::vector<double>& values);

    Elaborator& elaborator_;
    Scope& scope_;
};

} // namespace gradc
