#include "compiler/program/machine.h"

namespace gradc {

Machine machine_of(loop::Isa isa) {
    switch (isa) {
    case loop::Isa::avx512: return {isa, 64, 32, true};
    case loop::Isa::avx2: return {isa, 32, 16, true};
    default: return {isa, 16, 16, false};
    }
}

} // namespace gradc
