// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the command line says about elaboration.
#pragma once
#include "compiler/graph/type.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gradc {

struct Library;

struct Options {
    std::shared_ptr<const Library> library; // null: it is loaded; else the model is the first of the sources
    std::map<std::string, std::string> set; // const name -> text of its value, from --set
    Dtype precision = Dtype::f32;           // what f32 in a model file stands for
    int64_t node_limit = 1'000'000;
    std::vector<std::string> data_folders; // where files are sought when compiling (sizes, ranges), in order
    bool confined = false;                 // nothing outside of data_folders is read, wherever links lead
    bool reads_data = true;                // false: no data file is opened, all of them count as missing
};

} // namespace gradc
