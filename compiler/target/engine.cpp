// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shared libraries are loaded by dlopen. Elements are found by the strides and panels of the table.
#include "compiler/target/engine.h"
#include "compiler/target/compile.h"
#include "compiler/target/layout.h"
#include "compiler/util/check.h"
#include "compiler/util/temporary_folder.h"
#include "runtime/base/isa.h"
#include "runtime/walk.h"
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <new>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace gradc::target {

namespace {

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs a program with its messages in a file; true if it ended with 0.
bool run_program(const std::vector<std::string>& arguments, const std::string& messages) {
    std::vector<char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child = 0;
    int refused = posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (refused != 0) return false;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Layout layout_of(const gradc_tensor& tensor, int64_t row_count) {
    Layout layout;
    layout.dtype = Dtype(tensor.dtype);
    layout.shape.assign(tensor.shape, tensor.shape + tensor.rank);
    layout.strides.assign(tensor.strides, tensor.strides + tensor.rank);
    layout.panel = tensor.panel;
    if (tensor.has_rows) {
        check(row_count <= layout.shape[0], "engine", "more rows than the module was planned for");
        layout.shape[0] = row_count;
    }
    return layout;
}

} // namespace

void Engine::Close::operator()(void* library) const { dlclose(library); }
void Engine::Free::operator()(unsigned char* memory) const { std::free(memory); }

std::optional<Engine> Engine::load(const std::string& path, std::string& error) {
    Engine engine;
    engine.library_.reset(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (!engine.library_) {
        error = dlerror();
        return std::nullopt;
    }
    engine.module_ = static_cast<const gradc_module*>(dlsym(engine.library_.get(), "gradc_module_table"));
    if (!engine.module_ || engine.module_->abi_version != GRADC_ABI_VERSION) {
        error = "it defines no module of this version";
        return std::nullopt;
    }
    size_t size = (size_t(engine.module_->arena_bytes) + 64 + 63) / 64 * 64;
    engine.arena_.reset(static_cast<unsigned char*>(std::aligned_alloc(64, size)));
    if (!engine.arena_) throw std::bad_alloc();
    std::memset(engine.arena_.get(), 0, size);
    runtime::place_constants(*engine.module_, engine.arena_.get());
    return engine;
}

int Engine::tensor(const std::string& name, int role) const {
    for (int i = 0; i < module_->tensor_count; ++i)
        if (name == module_->tensors[i].name && (role < 0 || role == module_->tensors[i].role)) return i;
    return -1;
}

int Engine::program(const std::string& name) const {
    for (int i = 0; i < module_->program_count; ++i)
        if (name == module_->programs[i].name) return i;
    return -1;
}

void Engine::write(int number, const std::vector<double>& values, int64_t row_count) {
    check(number >= 0 && number < module_->tensor_count, "engine", "no such tensor");
    const gradc_tensor& tensor = module_->tensors[number];
    Layout layout = layout_of(tensor, row_count);
    check(int64_t(values.size()) == count(layout.shape, 1), "engine", "values do not fill the tensor");
    std::vector<int64_t> index(layout.shape.size(), 0);
    unsigned char* base = arena_.get() + tensor.offset;
    for (double value : values) {
        write_number(base + element_offset(layout, index) * bytes(layout.dtype), layout.dtype, value);
        next_index(layout.shape, index);
    }
}

std::vector<double> Engine::read(int number, int64_t row_count) const {
    check(number >= 0 && number < module_->tensor_count, "engine", "no such tensor");
    const gradc_tensor& tensor = module_->tensors[number];
    Layout layout = layout_of(tensor, row_count);
    std::vector<double> values(size_t(count(layout.shape, 1)));
    std::vector<int64_t> index(layout.shape.size(), 0);
    const unsigned char* base = arena_.get() + tensor.offset;
    for (double& value : values) {
        value = read_number(base + element_offset(layout, index) * bytes(layout.dtype), layout.dtype);
        next_index(layout.shape, index);
    }
    return values;
}

bool Engine::run(int number, int64_t row_count, loop::Isa isa, bool guard) {
    check(number >= 0 && number < module_->program_count, "engine", "no such program");
    runtime::WalkOptions options;
    options.isa = int(isa);
    options.guard = guard;
    options.flush_denormals = module_->flush_denormals != 0;
    const gradc_program& program = module_->programs[number];
    for (int i = 0; i < program.kernel_count; ++i)
        check(program.kernels[i].code->functions[options.isa], "engine", "a program was not built for this machine");
    return runtime::walk(*module_, program, arena_.get(), row_count, options) == runtime::Walk::finished;
}

int64_t Engine::run_steps(int number, loop::Isa isa, gradc_multi_step& multi_step) {
    gradc_steps steps = module_->programs[number].steps[int(isa)];
    check(steps, "engine", "the program has no stretch of steps");
    runtime::FlushDenormals flushing(module_->flush_denormals != 0);
    return steps(arena_.get(), &multi_step);
}

Engine load_object(const std::string& object) {
    std::string error;
    TemporaryFolder folder(error); // a library that was loaded from there stays without its file
    if (!error.empty()) throw MachineError(error);
    std::string path = folder.file("module.so");
    error = link_shared(object, path);
    if (!error.empty()) throw MachineError(error);
    std::optional<Engine> engine = Engine::load(path, error);
    if (!engine) throw MachineError(error);
    return std::move(*engine);
}

std::optional<Engine> load_cpp(const std::string& text, const std::string& compiler, std::string& error,
                               const std::vector<std::string>& options) {
    TemporaryFolder folder(error);
    if (!error.empty()) return std::nullopt;
    std::string source = folder.file("module.cpp"), made = folder.file("module.so");
    std::string messages = folder.file("messages");
    std::ofstream(source, std::ios::binary) << text;
    std::vector<std::string> arguments{compiler, "-std=c++17", "-O3", "-Wall", "-Wextra", "-Werror",
                                       "-fPIC",  "-shared",    "-o",  made,    source};
    arguments.insert(arguments.end(), options.begin(), options.end());
    if (!run_program(arguments, messages)) {
        error = read_file(messages);
        if (error.empty()) error = compiler + " does not run";
        return std::nullopt;
    }
    return Engine::load(made, error);
}

std::vector<std::string> find_compilers() {
    std::vector<std::string> found;
    const char* path = std::getenv("PATH");
    std::string folders = path ? path : "";
    for (const char* name : {"g++", "clang++-19"}) {
        bool present = false;
        for (size_t at = 0; at <= folders.size() && !present;) {
            size_t end = std::min(folders.find(':', at), folders.size());
            present = access((folders.substr(at, end - at) + "/" + name).c_str(), X_OK) == 0;
            at = end + 1;
        }
        if (present) found.push_back(name);
    }
    return found;
}

} // namespace gradc::target
