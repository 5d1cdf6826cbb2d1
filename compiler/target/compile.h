// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The interface of the target stage: from a verified module to text, an object or a trainer. The bytes depend on the
// module alone, not on time, place or the number of threads. All functions throw InternalError for an invalid module.
#pragma once
#include "compiler/program/program.h"
#include "compiler/target/metadata.h"
#include <string>
#include <vector>

namespace gradc::target {

/// C++17 for every ISA that the module has. It compiles alone with g++ and clang++ and defines gradc_module_table.
std::string print_cpp(const loop::Module& module, const Metadata& metadata);

/// The functions of program number `program` for one ISA as in that text, one for each kernel.
std::vector<std::string> print_cpp_kernels(const loop::Module& module, size_t program, loop::Isa isa);

/// LLVM IR of the functions for one ISA, before LLVM's passes.
std::string print_llvm(const loop::Module& module, loop::Isa isa);

/// Assembly of the functions for one ISA, after all passes.
std::string print_assembly(const loop::Module& module, loop::Isa isa);

/// Machine code of earlier builds. A unit holds one function or a few. Its key covers all that its code depends on.
struct CodeCache {
    using Units = std::vector<std::pair<std::string, std::string>>; // key, object file
    Units known;                                                    // before `object`; keys are unique
    Units used;                                                     // after it: all units of the module
    int64_t functions = 0, compiled = 0;                            // of the module; those that no known unit holds
};

/// How well to compile. `least`: many times faster and without LLVM's passes, for code that runs once, as in tests.
enum class Effort { full, least };

/// A relocatable ELF object (position independent, x86-64) with all kernels and gradc_module_table. The bytes are the
/// same with and without a cache.
std::string object(const loop::Module& module, const Metadata& metadata, CodeCache* cache = nullptr,
                   Effort effort = Effort::full);

struct LinkOptions {
    std::string runtime = {}; // the prelinked runtime; "": ../lib/gradc/runtime.o or lib/gradc/runtime.o beside gradc
    bool symbols = false;     // keep the names of functions
};
/// The bytes of a static trainer: `object` and the prelinked runtime. `error`: why there is none, or "".
std::string link_trainer(const std::string& object, std::string& error, const LinkOptions& options = {});

/// Links `object` as a shared library to `path`. The file is written atomically. Returns the error, or "".
std::string link_shared(const std::string& object, const std::string& path);

} // namespace gradc::target
