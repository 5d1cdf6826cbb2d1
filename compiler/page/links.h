// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which parts of the page are highlighted together: for each part, the ids of all parts that belong to it.
#pragma once
#include "compiler/page/html.h"
#include "compiler/page/page_data.h"

namespace gradc {

/// Lists of ids, separated by spaces, for the attribute data-to. The programs are not owned.
class PageLinks {
public:
    explicit PageLinks(const std::vector<PageProgram>& programs) : programs_(programs) {}

    std::string of_value(const PageIds& ids, size_t number, bool box) const {
        const PageValue& value = program(ids).values[number];
        std::string result = box ? ids.formula(number) : ids.value(number);
        for (uint32_t line : value.lines) add(result, PageIds::line(line));
        for (size_t kernel : value.kernels) add(result, ids.kernel(kernel));
        for (size_t buffer : value.buffers) add(result, ids.buffer(buffer));
        return result;
    }
    std::string of_kernel(const PageIds& ids, size_t number) const {
        const PageKernel& kernel = program(ids).kernels[number];
        std::string result = values(ids, kernel.values);
        for (uint32_t line : kernel.lines) add(result, PageIds::line(line));
        for (size_t buffer : kernel.buffers) add(result, ids.buffer(buffer));
        return result;
    }
    std::string of_buffer(const PageIds& ids, size_t number) const {
        const PageBuffer& buffer = program(ids).buffers[number];
        std::string result = values(ids, buffer.values);
        for (uint32_t line : buffer.lines) add(result, PageIds::line(line));
        for (size_t kernel : buffer.kernels) add(result, ids.kernel(kernel));
        return result;
    }
    std::string of_line(uint32_t line) const {
        std::string result;
        for (size_t p = 0; p < programs_.size(); ++p) {
            PageIds ids{p};
            const PageProgram& shown = programs_[p];
            for (size_t i = 0; i < shown.values.size(); ++i)
                if (shown.values[i].lines.count(line)) add(result, ids.value(i)), add(result, ids.formula(i));
            for (size_t i = 0; i < shown.kernels.size(); ++i)
                if (shown.kernels[i].lines.count(line)) add(result, ids.kernel(i));
            for (size_t i = 0; i < shown.buffers.size(); ++i)
                if (shown.buffers[i].lines.count(line)) add(result, ids.buffer(i));
        }
        return result;
    }

private:
    const PageProgram& program(const PageIds& ids) const { return programs_[ids.program]; }
    static void add(std::string& list, const std::string& id) { list += (list.empty() ? "" : " ") + id; }
    static std::string values(const PageIds& ids, const std::set<size_t>& all) {
        std::string result;
        for (size_t value : all) add(result, ids.value(value)), add(result, ids.formula(value));
        return result;
    }

    const std::vector<PageProgram>& programs_;
};

/// The graph and the map of the arena as SVG; page.css has the colors.
std::string graph_drawing(const PageProgram&, const PageIds&, const PageLinks&);
std::string memory_drawing(const PageProgram&, const PageIds&, const PageLinks&);

} // namespace gradc
