// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A compiled module inside this process, for `gradc check`, `gradc grad` and tests: its table, an
// arena of its own, tensors read and written by name as doubles in the model's shape, programs run
// by one thread through the trainer's own walker.
#pragma once
#include "compiler/program/program.h"
#include "runtime/abi.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradc::target {

class Engine {
public:
    /// Loads a shared library that defines gradc_module_table. On failure returns nullopt and sets `error`.
    static std::optional<Engine> load(const std::string& path, std::string& error);

    const gradc_module& module() const { return *module_; }
    unsigned char* arena() const { return arena_.get(); }

    /// Indices into the module's tensors and programs; -1 if there is none of that name. `role` selects among tensors
    /// with one name, for example a field and a result; -1: any.
    int tensor(const std::string& name, int role = -1) const;
    int program(const std::string& name) const;

    /// Values in C order in the model's own shape; the first axis has `row_count` rows where it is
    /// N.
    void write(int tensor, const std::vector<double>& values, int64_t row_count = 1);
    std::vector<double> read(int tensor, int64_t row_count = 1) const;

    /// Runs the program once on the first `row_count` rows. Returns false if `guard` is set and a guard stopped it.
    bool run(int program, int64_t row_count, loop::Isa isa, bool guard = false);
    /// Many steps in one call, of a program that has such a function. Returns the number of steps done.
    int64_t run_steps(int program, loop::Isa isa, gradc_multi_step& multi_step);

private:
    struct Close {
        void operator()(void* library) const;
    };
    struct Free {
        void operator()(unsigned char* memory) const;
    };
    std::unique_ptr<void, Close> library_;
    std::unique_ptr<unsigned char, Free> arena_; // module.arena_bytes and 64 more, zeros and the module's constants
    const gradc_module* module_ = nullptr;
};

/// Links `object` (compile.h) in a temporary folder and loads it. Throws MachineError if that fails.
Engine load_object(const std::string& object);

/// Compiles C++ text with `compiler` ("g++") and loads it. On failure returns nullopt and sets `error` to the
/// compiler's message.
std::optional<Engine> load_cpp(const std::string& text, const std::string& compiler, std::string& error,
                               const std::vector<std::string>& options = {});

/// The compilers among g++ and clang++-19 that are in PATH.
std::vector<std::string> find_compilers();

} // namespace gradc::target
