// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One HTML page without network: the model text, the graph of its compiled step, formulas, generated C++ and a map of
// the arena, linked to each other. Post-condition: tags are balanced, every id in a data-to stands in the page once,
// nothing is loaded from anywhere.
#pragma once
#include "compiler/page/page_data.h"

namespace gradc {

struct PageContent {
    std::string title;    // of the model
    std::string subtitle; // what the code was compiled for
    std::string text;     // of the model file
    std::vector<PageProgram> programs;
    int64_t arena_bytes = 0;
};

std::string html_page(PageContent content);

} // namespace gradc
