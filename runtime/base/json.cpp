// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A recursive parser, and a writer that keeps a stack of open objects and arrays.
#include "runtime/base/json.h"
#include "runtime/base/text.h"
#include <cmath>

namespace gradc::runtime {

// ---- writer ------------------------------------------------------------------------------------

std::string json_quoted(std::string_view value) {
    std::string result = "\"";
    for (char byte : value) {
        auto code = static_cast<unsigned char>(byte);
        if (byte == '"' || byte == '\\') {
            result += '\\';
            result += byte;
        } else if (byte == '\n') {
            result += "\\n";
        } else if (code < 0x20) {
            result += "\\u00";
            result += "0123456789abcdef"[code >> 4];
            result += "0123456789abcdef"[code & 15];
        } else {
            result += byte;
        }
    }
    return result + '"';
}

void JsonWriter::separate() {
    if (!first_ && !after_key_) text_ += ", ";
    first_ = after_key_ = false;
}
JsonWriter& JsonWriter::open(char bracket) {
    separate();
    text_ += bracket;
    first_ = true;
    return *this;
}
JsonWriter& JsonWriter::close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
}
JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    text_ += json_quoted(name) + ": ";
    after_key_ = true;
    return *this;
}
JsonWriter& JsonWriter::string(std::string_view value) {
    separate();
    text_ += json_quoted(value);
    return *this;
}
JsonWriter& JsonWriter::number(double value) {
    separate();
    text_ += std::isfinite(value) ? exact(value) : "null";
    return *this;
}
JsonWriter& JsonWriter::integer(int64_t value) {
    separate();
    text_ += runtime::integer(value);
    return *this;
}

// ---- reader ------------------------------------------------------------------------------------

namespace {

class JsonParser {
public:
    explicit JsonParser(std::string_view text) : text_(text) {}
    bool value(JsonValue& value, int depth);
    bool at_end() {
        skip_spaces();
        return at_ == text_.size();
    }

private:
    void skip_spaces() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
            at_++;
    }
    bool take(std::string_view word) {
        if (!text_.substr(at_).starts_with(word)) return false;
        at_ += word.size();
        return true;
    }
    bool string(std::string& value);
    bool escape(std::string& value);
    bool number(JsonValue& value);
    bool items(JsonValue& value, int depth);
    bool members(JsonValue& value, int depth);

    std::string_view text_;
    size_t at_ = 0;
};

bool JsonParser::escape(std::string& value) {
    if (at_ >= text_.size()) return false;
    char letter = text_[at_++];
    static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    size_t known = letters.find(letter);
    if (known != std::string_view::npos) return value += meanings[known], true;
    if (letter != 'u' || at_ + 4 > text_.size()) return false;
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
        char digit = text_[at_++];
        size_t worth = std::string_view("0123456789abcdefABCDEF").find(digit);
        if (worth == std::string_view::npos) return false;
        code = code * 16 + unsigned(worth < 16 ? worth : worth - 6);
    }
    if (code < 0x80) {
        value += char(code);
    } else if (code < 0x800) {
        value += char(0xC0 | code >> 6);
        value += char(0x80 | (code & 63));
    } else { // surrogates stay as they are: names are compared, not shown
        value += char(0xE0 | code >> 12);
        value += char(0x80 | (code >> 6 & 63));
        value += char(0x80 | (code & 63));
    }
    return true;
}

bool JsonParser::string(std::string& value) {
    if (!take("\"")) return false;
    while (at_ < text_.size()) {
        char byte = text_[at_++];
        if (byte == '"') return true;
        if (static_cast<unsigned char>(byte) < 0x20) return false;
        if (byte != '\\') {
            value += byte;
        } else if (!escape(value)) {
            return false;
        }
    }
    return false;
}

bool JsonParser::number(JsonValue& value) {
    size_t begin = at_;
    while (at_ < text_.size() && std::string_view("+-.eE0123456789").find(text_[at_]) != std::string_view::npos) at_++;
    value.kind = JsonValue::Kind::number;
    return parse_number(text_.substr(begin, at_ - begin), value.number);
}

bool JsonParser::items(JsonValue& value, int depth) {
    value.kind = JsonValue::Kind::array;
    skip_spaces();
    if (take("]")) return true;
    do {
        if (!this->value(value.items.emplace_back(), depth + 1)) return false;
        skip_spaces();
    } while (take(","));
    return take("]");
}

bool JsonParser::members(JsonValue& value, int depth) {
    value.kind = JsonValue::Kind::object;
    skip_spaces();
    if (take("}")) return true;
    do {
        skip_spaces();
        if (!string(value.names.emplace_back())) return false;
        skip_spaces();
        if (!take(":") || !this->value(value.items.emplace_back(), depth + 1)) return false;
        skip_spaces();
    } while (take(","));
    return take("}");
}

bool JsonParser::value(JsonValue& value, int depth) {
    skip_spaces();
    if (depth > 64 || at_ >= text_.size()) return false;
    if (take("{")) return members(value, depth);
    if (take("[")) return items(value, depth);
    if (take("null")) return true;
    if (text_[at_] == '"') return value.kind = JsonValue::Kind::string, string(value.string);
    bool is_true = take("true");
    if (is_true || take("false")) {
        value.kind = JsonValue::Kind::boolean;
        value.number = is_true;
        return true;
    }
    return number(value);
}

} // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
    for (size_t i = 0; i < names.size(); i++) {
        if (names[i] == name) return &items[i];
    }
    return nullptr;
}

bool read_json(std::string_view text, JsonValue& value) {
    JsonParser parser(text);
    return parser.value(value, 0) && parser.at_end();
}

} // namespace gradc::runtime
