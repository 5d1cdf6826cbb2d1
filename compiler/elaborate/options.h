// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Options of the command line for elaboration.
#pragma once
#include "compiler/graph/type.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gradc {

struct Library;

struct Options {
    std::shared_ptr<const Library>
        library; // null: the library is loaded; else the model must be the first of the sources
    std::map<std::string, std::string> set; // const name -> text of its value, from --set
    Dtype precision = Dtype::f32;           // the dtype of f32 in a model file
    int64_t node_limit = 1'000'000;
    std::vector<std::string> data_folders; // searched for files when compiling (sizes, ranges), in order
    bool confined = false;                 // nothing outside data_folders is read, also through links
    bool reads_data = true;                // false: no data file is opened, all of them count as missing
};

} // namespace gradc
