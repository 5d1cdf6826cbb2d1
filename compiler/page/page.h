// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One HTML page that loads nothing: the model text, the graph of its compiled step, formulas, generated C++ and a map
// of the arena, linked to each other. Postcondition: tags are balanced, and every id in a data-to occurs in the page
// once.
#pragma once
#include "compiler/page/page_data.h"

namespace gradc {

/// The parts of the page. Texts are plain, not yet escaped.
struct PageContent {
    std::string title;    // of the model
    std::string subtitle; // what the code was compiled for
    std::string text;     // of the model file
    std::vector<PageProgram> programs;
    int64_t arena_bytes = 0;
};

/// The page as one HTML document; the content is consumed.
std::string html_page(PageContent content);

} // namespace gradc
