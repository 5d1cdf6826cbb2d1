// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `predict --prompt`: continues a text by the `generate` line of the model. Each character is printed when it is drawn.
#include "runtime/base/text.h"
#include "runtime/commands/trainer.h"
#include "runtime/predict/generation.h"
#include <cmath>

namespace gradc::runtime {

namespace {

struct Request {
    std::string prompt;
    int64_t length = 500;
    Sampling sampling;
};

bool read_request(const Arguments& arguments, Request& request, Error& error) {
    request.prompt = arguments.value("prompt");
    Sampling& sampling = request.sampling;
    if (!arguments.others().empty()) return error.fail_as(wrong_usage, "--prompt continues a text; leave the file out");
    if (!arguments.integer("length", 1, int64_t(1) << 40, request.length, error) ||
        !arguments.integer("top-k", 1, int64_t(1) << 31, sampling.top_k, error) ||
        !arguments.number("temperature", sampling.temperature, error))
        return false;
    if (sampling.temperature >= 0 && std::isfinite(sampling.temperature)) return true;
    return error.fail_as(wrong_usage, "--temperature is a number from 0 on");
}

/// The field of characters that the block reads.
const gradc_field* text_field(const gradc_dataset& table) {
    for (int32_t f = 0; f < table.field_count; f++) {
        if (is_text(table.fields[f])) return &table.fields[f];
    }
    return nullptr;
}

/// The codes of the prompt. An empty prompt is a line break, or the first character where there is none.
bool encode(const Dictionary& alphabet, const std::string& prompt, std::vector<int64_t>& codes, Error& error) {
    bool known = for_each_character("--prompt", prompt, error, [&](const PlacedCharacter& each) {
        codes.push_back(alphabet.code(each.bytes));
        if (codes.back() >= 0) return true;
        std::string all;
        for (int64_t code = 0; code < alphabet.size(); code++) all += alphabet.spelling(code);
        return error.fail_as(wrong_usage, "--prompt: the character ", quoted(each.bytes),
                             " is not in the alphabet of the model, which is ", quoted(all));
    });
    if (known && codes.empty()) codes.push_back(std::max<int64_t>(alphabet.code("\n"), 0));
    return known;
}

bool generate(const gradc_module& module, const gradc_block& block, const Arguments& arguments, Error& error) {
    Request request;
    if (!read_request(arguments, request, error)) return false;
    const gradc_field& field = *text_field(module.datasets[block.dataset]);
    std::vector<int64_t> codes;
    Prepared prepared;
    if (!prepare(module, arguments, {false, true}, prepared, error)) return false;
    const Dictionary& alphabet = *find_dictionary(prepared.dataset.dictionaries, field.name);
    if (!encode(alphabet, request.prompt, codes, error)) return false;
    request.sampling.seed = prepared.settings.seed;
    TextGeneration text(*prepared.session, block, request.sampling);
    for (int64_t code : codes) text.take(code);
    bool open = print(request.prompt, error);
    for (int64_t i = 0; open && i < request.length; i++) {
        int64_t code = text.draw();
        open = print(alphabet.spelling(code), error);
        if (open && i + 1 < request.length) text.take(code);
    }
    return open && print("\n", error);
}

} // namespace

ExitCode generate_command(const gradc_module& module, const Arguments& arguments, Error& error) {
    for (int32_t b = 0; b < module.block_count; b++) {
        if (module.blocks[b].generate < 0) continue;
        generate(module, module.blocks[b], arguments, error);
        return error.code;
    }
    return error.fail("the train block of ", module.name, " has no `generate` line"), error.code;
}

} // namespace gradc::runtime
