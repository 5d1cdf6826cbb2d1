// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of readers in a data set: those of the table in runtime/data/reader.cpp, windows(reader, length: 65),
// range(100), and a literal list. Each call becomes a Reader. The shape, the largest number and the rows that it leaves
// open are read from the file when they are needed; a missing file is an error.
#pragma once
#include "compiler/elaborate/elaborator.h"
#include "runtime/data/reader.h"

namespace gradc {

bool names_reader(const std::string& callee);

/// A reader, and the properties that its call fixes.
struct ReaderCall {
    Reader reader;
    std::optional<Shape> shape;                  // of one row
    std::optional<int64_t> upper;                // numbers are below it: of range(n), of text
    const runtime::FileReader* format = nullptr; // of the reader's files
};

class ReaderElaboration {
public:
    ReaderElaboration(Elaborator& elaborator, Scope& scope) : elaborator_(elaborator), scope_(scope) {}

    /// Nothing after an error.
    std::optional<ReaderCall> read(const ast::Call& call, Span span);
    std::optional<ReaderCall> literal(const ast::Expr& list);

    // These read the file; nothing after an error.
    std::optional<Shape> shape_in_file(const Reader& reader);
    std::optional<int64_t> upper_in_file(const Reader& reader);
    std::optional<int64_t> rows(const Reader& reader);

private:
    Diagnostic& misuse(Span span, std::string message, std::string repair = {});
    std::optional<std::string> find(const std::string& path, std::vector<std::string>& places) const;
    std::optional<runtime::FileFacts> facts(const Reader& reader, const std::string& path);
    bool allowed(const std::string& path, Span span);
    bool take_file(const ast::Call& call, const ast::Argument& given, ReaderCall& result);
    bool take_files(const ast::Call& call, ReaderCall& result);
    bool take_columns(const ast::Expr& columns, ReaderCall& result);
    std::optional<int64_t> option(const ast::Call& call, const std::string& name, int64_t least);
    std::optional<ReaderCall> windows(const ast::Call& call, Span span);
    std::optional<ReaderCall> range(const ast::Call& call, Span span);
    bool take_text(const ast::Call& call, ReaderCall& result);
    bool flatten(const Term& term, Span span, size_t depth, Shape& shape, std::vector<double>& values);

    Elaborator& elaborator_;
    Scope& scope_;
};

} // namespace gradc
