// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// JSON: a writer that indents by structure, and a small reader.
#pragma once
#include "runtime/base/error.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

/// Writes one value with its commas and quotes. `text()` is complete after every `begin` has its end.
class JsonWriter {
public:
    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }
    JsonWriter& key(std::string_view name);
    JsonWriter& string(std::string_view value);
    JsonWriter& number(double value); // null if it is not finite: JSON has no such number
    JsonWriter& integer(int64_t value);
    const std::string& text() const { return text_; }

private:
    JsonWriter& open(char bracket);
    JsonWriter& close(char bracket);
    void separate();
    std::string text_;
    bool first_ = true, after_key_ = false;
};

/// A string with its quotes; bytes that are not UTF-8 are kept as they are.
std::string json_quoted(std::string_view value);

struct JsonValue {
    enum class Kind : uint8_t { null, boolean, number, string, array, object } kind = Kind::null;
    double number = 0; // of a boolean: 0 or 1
    std::string string;
    std::vector<JsonValue> items;   // of an array, or an object's values
    std::vector<std::string> names; // of an object's values
    const JsonValue* find(std::string_view name) const;
};

/// False unless `text` is exactly one JSON value, nested 64 deep at most.
bool read_json(std::string_view text, JsonValue& value);

} // namespace gradc::runtime
