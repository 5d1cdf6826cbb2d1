// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A module in a test's process and the evaluator's environment: the module's tensors are described by the roles of
// their buffers and filled from the environment.
#pragma once
#include "compiler/graph/evaluate.h"
#include "compiler/target/engine.h"
#include "compiler/target/metadata.h"

namespace gradc {

/// The metadata of a module without a trainer: fields, scalars and variables, denormals kept.
inline target::Metadata described(const std::string& name, const loop::Module& module) {
    using Role = loop::Buffer::Role;
    target::Metadata metadata;
    metadata.name = name;
    metadata.flush_denormals = false;
    for (size_t i = 0; i < module.buffers.size(); ++i) {
        const loop::Buffer& buffer = module.buffers[i];
        auto add = [&](gradc_role role) {
            metadata.tensors.push_back({buffer.name, buffer.name, role, loop::BufferId(i)});
        };
        if (buffer.role == Role::field) add(GRADC_FIELD);
        if (buffer.role == Role::scalar) add(GRADC_SCALAR);
        if (buffer.role == Role::variable) add(GRADC_PARAMETER);
    }
    return metadata;
}

/// Tensors that the environment has no value of stay as they are.
inline void write_inputs(target::Engine& engine, const Environment& environment) {
    const gradc_module& module = engine.module();
    for (int32_t i = 0; i < module.tensor_count; ++i) {
        std::string name = module.tensors[i].name;
        int32_t role = module.tensors[i].role;
        auto field = environment.fields.find(name);
        auto scalar = environment.scalars.find(name);
        auto variable = environment.variables.find(name);
        if (role == GRADC_FIELD) {
            if (field != environment.fields.end()) engine.write(i, field->second.values, environment.rows);
        } else if (role == GRADC_SCALAR) {
            if (name == "rows") engine.write(i, {double(environment.rows)});
            else if (scalar != environment.scalars.end()) engine.write(i, {scalar->second});
        } else if (role != GRADC_RESULT && variable != environment.variables.end()) {
            engine.write(i, variable->second.values);
        }
    }
}

} // namespace gradc
