// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Both directions, without dependence on the locale.
#include "compiler/commands/tensor_text.h"
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

namespace gradc {
namespace {

constexpr size_t page_width = 80, most_rows = 10;

std::string short_number(double value) { return fmt::format("{:.6g}", value == 0 ? 0 : value); }

/// The entries to show of `count`: all, or the first ones and the last, with -1 for omitted ones.
std::vector<int64_t> shown(int64_t count, size_t most) {
    std::vector<int64_t> result;
    bool all = size_t(count) <= most;
    for (int64_t i = 0; i < (all ? count : int64_t(std::max<size_t>(most, 3)) - 2); ++i) result.push_back(i);
    if (!all) result.insert(result.end(), {-1, count - 1});
    return result;
}

std::string vector_line(const std::string& head, const Tensor& tensor) {
    auto size = int64_t(tensor.values.size());
    for (size_t most = size_t(std::min<int64_t>(size, page_width));; --most) {
        std::string line = head + " = [";
        for (int64_t i : shown(size, most))
            line += (line.back() == '[' ? "" : ", ") + (i < 0 ? ".." : short_number(tensor.values[size_t(i)]));
        line += "]" + (int64_t(most) < size ? fmt::format(" of {}", size) : "");
        if (line.size() <= page_width || most <= 3) return line + "\n";
    }
}

/// Columns of equal width, right-aligned, as many as fit in a line.
std::string rows_text(const std::string& head, const Tensor& tensor) {
    int64_t columns = tensor.shape.back(), rows = int64_t(tensor.values.size()) / std::max<int64_t>(columns, 1);
    std::vector<int64_t> lines = shown(rows, most_rows);
    bool gaps = rows > int64_t(most_rows) || columns > int64_t(page_width - 2) / 3;
    size_t cell = gaps ? 2 : 1;
    for (int64_t row : lines)
        for (int64_t column = 0; row >= 0 && column < columns; ++column)
            cell = std::max(cell, short_number(tensor.values[size_t(row * columns + column)]).size());
    std::vector<int64_t> places = shown(columns, (page_width - 2) / (cell + 2));
    std::string text = fmt::format("{} = {}\n", head, print(tensor.shape));
    for (int64_t row : lines) {
        std::string line = "  ";
        for (int64_t column : places) {
            bool gap = row < 0 || column < 0;
            line += fmt::format("{:>{}}", gap ? ".." : short_number(tensor.values[size_t(row * columns + column)]),
                                cell + (line.size() > 2 ? 2 : 0));
        }
        text += line + "\n";
    }
    return text;
}

class Reading {
public:
    explicit Reading(const std::string& text) : at_(text.c_str()) {}

    std::optional<Tensor> run() {
        Tensor result;
        if (!value(0, result)) return {};
        skip();
        if (*at_ != '\0') return {};
        return result;
    }

private:
    const char* at_;
    bool leaf_ = false; // the number of axes is known

    void skip() {
        while (*at_ == ' ' || *at_ == '\t') ++at_;
    }
    bool accept(char sign) {
        skip();
        return *at_ == sign && ++at_;
    }
    bool value(size_t axis, Tensor& into) {
        if (!accept('[')) return number(axis, into);
        constexpr size_t most_axes = 16;
        if (axis >= most_axes || (leaf_ && axis >= into.shape.size())) return false;
        int64_t count = 0;
        do {
            if (axis >= into.shape.size()) into.shape.push_back(0);
            if (!value(axis + 1, into)) return false;
            ++count;
        } while (accept(','));
        bool first = into.shape[axis] == 0;
        if (first) into.shape[axis] = count;
        return accept(']') && into.shape[axis] == count;
    }
    bool number(size_t axis, Tensor& into) {
        char* end = nullptr;
        skip();
        double read = std::strtod(at_, &end);
        if (end == at_ || axis != into.shape.size()) return false;
        at_ = end;
        leaf_ = true;
        into.values.push_back(read);
        return true;
    }
};

} // namespace

std::string number_text(double value) { return fmt::format("{:.10g}", value == 0 ? 0 : value); }

std::string tensor_text(const std::string& head, const Tensor& tensor) {
    if (tensor.shape.empty()) return fmt::format("{} = {}\n", head, number_text(tensor.values[0]));
    return tensor.shape.size() == 1 ? vector_line(head, tensor) : rows_text(head, tensor);
}

std::optional<Tensor> read_tensor(const std::string& text) { return Reading(text).run(); }

} // namespace gradc
