// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The target stage as the driver sees it: a verified module in, text, an object or a trainer out.
// Nothing here depends on time, place or the number of threads: same module, same bytes.
#pragma once
#include "compiler/program/program.h"
#include "compiler/target/metadata.h"
#include <string>
#include <vector>

namespace gradc::target {

/// C++17 that compiles alone with g++ and clang++ and defines gradc_module_table; every ISA that
/// the module has.
std::string print_cpp(const loop::Module& module, const Metadata& metadata);

/// The functions of program number `program` for one ISA as they stand in that text, one a kernel.
std::vector<std::string> print_cpp_kernels(const loop::Module& module, size_t program, loop::Isa isa);

/// LLVM IR of the kernels for one ISA as handed to LLVM, before its passes.
std::string print_llvm(const loop::Module& module, loop::Isa isa);

/// Assembly of the kernels for one ISA, after all passes.
std::string print_assembly(const loop::Module& module, loop::Isa isa);

/// A relocatable ELF object (position independent, x86-64) with all kernels and gradc_module_table.
std::string object(const loop::Module& module, const Metadata& metadata);

/// The bytes of a static trainer: `object` and the prelinked runtime. `fault`: what went wrong, or
/// "". `runtime` "": beside gradc's own binary, ../lib/gradc/runtime.o or lib/gradc/runtime.o.
std::string link_trainer(const std::string& object, std::string& error, const std::string& runtime = "");

/// Links `object` as a shared library to `path`, where it appears whole or not at all. Returns what
/// went wrong, or "".
std::string link_shared(const std::string& object, const std::string& path);

} // namespace gradc::target
