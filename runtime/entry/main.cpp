// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The trainer's entry; everything else is in the module's table. A trainer throws nothing: functions of the C++ library
// that would throw end the program here with a message. This keeps the unwinder and the names of types, 60 KB, out of
// every trainer. Programs with a main of their own (gradc, tests) do not link this file.
#include "runtime/base/files.h"
#include "runtime/commands/trainer.h"
#include <cstdlib>
#include <unistd.h>

int main(int argc, char** argv) { return gradc::runtime::run_trainer(argc, argv, gradc_module_table); }

static void* allocate(size_t size) {
    void* memory = malloc(size > 0 ? size : 1);
    if (memory) return memory;
    gradc::runtime::complain("error: out of memory");
    gradc::runtime::remove_temporary_files();
    _exit(gradc::runtime::input_error);
}

void* operator new(size_t size) { return allocate(size); }
void* operator new[](size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

[[noreturn]] static void fail(const char* what) {
    gradc::runtime::complain(what);
    gradc::runtime::complain("this is a bug in gradc; please report it with the model file");
    _exit(gradc::runtime::internal_error);
}

// Names and signatures are those of the C++ library (bits/functexcept.h).
namespace std {
void __throw_bad_alloc() { fail("error: a size is out of range"); }
void __throw_bad_array_new_length() { fail("error: a size is out of range"); }
void __throw_length_error(const char* what) { fail(what); }
void __throw_logic_error(const char* what) { fail(what); }
void __throw_out_of_range(const char* what) { fail(what); }
void __throw_out_of_range_fmt(const char* what, ...) { fail(what); }
void __throw_bad_function_call() { fail("error: a function is missing"); }
} // namespace std
