// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text escaped for HTML, and the ids of the parts of a page.
#pragma once
#include <string>

namespace gradc {

/// `text` with & < > " escaped.
inline std::string html(const std::string& text) {
    std::string result;
    for (char c : text) switch (c) {
        case '&': result += "&amp;"; break;
        case '<': result += "&lt;"; break;
        case '>': result += "&gt;"; break;
        case '"': result += "&quot;"; break;
        default: result += c;
        }
    return result;
}

/// The ids of one program's parts on the page.
struct PageIds {
    size_t program = 0;
    std::string value(size_t number) const { return id('v', number); }   // box of the graph
    std::string formula(size_t number) const { return id('f', number); } // of the same value
    std::string kernel(size_t number) const { return id('k', number); }
    std::string buffer(size_t number) const { return id('m', number); }
    static std::string line(size_t number) { return "line" + std::to_string(number); }

private:
    std::string id(char kind, size_t number) const {
        return "p" + std::to_string(program) + kind + std::to_string(number);
    }
};

} // namespace gradc
