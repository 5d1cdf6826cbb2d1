// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See parts.h. The parts of a record have fixed sizes; those of a line are strings between tabs.
#include "compiler/dataset/parts.h"
#include "compiler/elaborate/types.h"
#include "runtime/base/dtype.h"
#include <fmt/format.h>

namespace gradc {

namespace {

/// Parts of a record lie one after another, in the dtypes and shapes of the fields.
bool lay_out_record(Elaborator& elaborator, Scope& scope, const std::vector<ast::FieldName>& names,
                    std::vector<ReaderCall>& parts) {
    int64_t bytes = 0;
    for (size_t i = 0; i < names.size(); ++i) {
        const std::string& name = names[i].target.name;
        if (!names[i].type) {
            elaborator.error(Code::field_type, names[i].target.span,
                             fmt::format("`{}` needs a type, which is its size", name), "",
                             fmt::format("{}: u8[28, 28]", name));
            return false;
        }
        ast::TypeExpr plain = *names[i].type;
        plain.upper = nullptr;
        auto full = full_type(elaborator, plain, scope);
        if (!full) return false;
        Reader& reader = parts[i].reader;
        reader.in_file = plain.dtype == "f64"                           ? Dtype::f64
                         : plain.dtype == "u8" || plain.dtype == "bool" ? Dtype::u8
                         : plain.dtype == "int" || names[i].type->upper ? Dtype::i32
                                                                        : Dtype::f32;
        reader.elements = count(full->type.shape, 1);
        reader.offset = bytes;
        int64_t size = reader.elements * runtime::element_size(int32_t(reader.in_file)); // below 2^63
        if (__builtin_add_overflow(bytes, size, &bytes) || bytes > INT32_MAX) {
            elaborator.error(Code::field_type, names[i].type->span, "a record has less than 2^31 bytes");
            return false;
        }
    }
    for (ReaderCall& part : parts) part.reader.record = bytes;
    return true;
}

/// Parts of a line lie between tabs: a label for an integer, words for a vector.
bool lay_out_line(Elaborator& elaborator, const std::vector<ast::FieldName>& names, std::vector<ReaderCall>& parts) {
    for (size_t i = 0; i < names.size(); ++i) {
        const std::optional<ast::TypeExpr>& type = names[i].type;
        bool label = type && type->dtype == "int" && !type->shape && type->upper;
        bool words = type && (!type->dtype || type->dtype == "f32" || type->dtype == "f64") && type->shape &&
                     type->shape->size() == 1 && !type->upper;
        if (!label && !words) {
            const std::string& name = names[i].target.name;
            elaborator.error(
                Code::field_type, type ? type->span : names[i].target.span,
                fmt::format("`{}` is neither a label nor a bag of words", name), "",
                fmt::format("{0}: int < C, the different strings of a label, or {0}: f32[V], counts of V words", name));
            return false;
        }
        Reader& reader = parts[i].reader;
        reader.record = int64_t(names.size()), reader.offset = int64_t(i);
        reader.strings = label ? Strings::classes : Strings::words;
        reader.other = words;
    }
    return true;
}

} // namespace

bool lay_out_parts(Elaborator& elaborator, Scope& scope, const std::vector<ast::FieldName>& names,
                   std::vector<ReaderCall>& parts) {
    bool strings = parts[0].format->reads_strings;
    return strings ? lay_out_line(elaborator, names, parts) : lay_out_record(elaborator, scope, names, parts);
}

} // namespace gradc
