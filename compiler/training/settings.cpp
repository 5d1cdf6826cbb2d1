// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Later blocks share data, batch and durations of the first one; a differing line is an error.
#include "compiler/elaborate/library/wrong_names.h"
#include "compiler/elaborate/values.h"
#include "compiler/training/block.h"
#include <fmt/format.h>

namespace gradc {

namespace {

const std::string* word(const ast::Setting& setting) {
    auto name = std::get_if<ast::Name>(&setting.value->node);
    return name ? &name->name : nullptr;
}

class SettingReading {
public:
    SettingReading(const BlockContext& context, const BlockLines& lines)
        : context_(context), lines_(lines), scratch_(context.definitions.primitives),
          elaborator_(context.definitions, scratch_, {}),
          frame_(block_frame(elaborator_.definitions, "train", context.definitions.main_module, nullptr)) {
        scope_.frame = &frame_;
    }

    bool data(TrainBlock& block) {
        auto line = find("data");
        if (!line && context_.first) block.dataset = context_.first->dataset;
        if (!line) return true;
        auto name = word(*line);
        std::vector<std::string> known;
        for (size_t i = 0; i < context_.datasets.size(); ++i) {
            known.push_back(context_.datasets[i].spec.name);
            if (name && *name == known.back()) block.dataset = int(i);
        }
        if (block.dataset >= 0) return rows_of_first(*line, block);
        elaborator_.error(Code::unknown_dataset, line->value->span,
                          name ? fmt::format("unknown data set `{}`", *name)
                               : "`data` must name a dataset of this file",
                          "", name && !known.empty() ? repair_among(*name, known, "data sets") : "dataset name { .. }");
        return false;
    }

    bool order(TrainBlock& block) {
        auto line = find("order");
        if (context_.first) block.order = context_.first->order;
        if (!line) return true;
        auto name = word(*line);
        if (name && *name == "shuffled") block.order = RowOrder::shuffled;
        else if (name && *name == "file") block.order = RowOrder::file;
        else if (name && *name == "random") block.order = RowOrder::random;
        else {
            elaborator_.error(Code::bad_setting, line->value->span,
                              "the order of rows is `shuffled`, `file` or `random`", "",
                              "write `order shuffled`, `order file` or `order random`");
            return false;
        }
        return needs_data(*line, block) && (!context_.first || as_first(*line, block.order == context_.first->order));
    }

    bool batch(TrainBlock& block) {
        auto line = find("batch");
        auto name = line ? word(*line) : nullptr;
        const TrainBlock* first = context_.first;
        if (first && !line) block.batch_all = first->batch_all;
        if (name && *name == "all") {
            block.batch_all = true;
            if (!needs_data(*line, block)) return false;
            auto count =
                count_rows(context_.definitions, context_.datasets[size_t(block.dataset)].spec, line->value->span);
            if (count) block.batch = std::max<int64_t>(*count, 1);
            return count.has_value() && (!first || as_first(*line, first->batch_all));
        }
        int64_t by_default = first ? first->batch : block.dataset >= 0 ? 32 : 1;
        if (!integer("batch", by_default, 1 << 24, block.batch)) return false;
        return !first || !line || as_first(*line, block.batch == first->batch);
    }

    bool durations(TrainBlock& block, Span block_span) {
        const TrainBlock* first = context_.first;
        if (!integer("epochs", first ? first->epochs : 1, INT32_MAX, block.epochs) ||
            !integer("steps", first ? first->steps : 0, INT64_MAX / 2, block.steps) ||
            !integer("turns", 1, INT32_MAX, block.turns))
            return false;
        auto epochs = find("epochs"), steps = find("steps");
        if (epochs && !needs_data(*epochs, block)) return false;
        if (first && epochs && !as_first(*epochs, block.epochs == first->epochs)) return false;
        if (first && steps && !as_first(*steps, block.steps == first->steps)) return false;
        if (block.dataset >= 0 || first || steps) return true;
        elaborator_.error(Code::missing_setting, block_span, "a block without data needs a number of steps", "",
                          "add a line such as `steps 1000`");
        return false;
    }

private:
    const BlockContext& context_;
    const BlockLines& lines_;
    Graph scratch_;
    Elaborator elaborator_;
    Frame frame_;
    Scope scope_;

    const ast::Setting* find(const std::string& key) const {
        auto found = lines_.one.find(key);
        return found == lines_.one.end() ? nullptr : found->second;
    }

    /// Blocks share the steps of one run and the data set of the first block.
    bool rows_of_first(const ast::Setting& line, const TrainBlock& block) {
        const TrainBlock* first = context_.first;
        if (!first || first->dataset == block.dataset) return true;
        if (first->dataset < 0)
            elaborator_.error(Code::bad_setting, line.value->span,
                              fmt::format("blocks share the data of the first block, and `{}` has none", first->name),
                              "", "write this line in the first train block");
        else
            elaborator_.error(Code::bad_setting, line.value->span,
                              fmt::format("blocks share one data set, and `{}` uses `{}`", first->name,
                                          context_.datasets[size_t(first->dataset)].spec.name),
                              "", "make the columns of both blocks fields of one data set");
        return false;
    }

    bool as_first(const ast::Setting& line, bool equal) {
        if (equal) return true;
        elaborator_.error(
            Code::bad_setting, line.value->span,
            fmt::format("blocks share one run, and `{}` differs from that of `{}`", line.key, context_.first->name), "",
            "leave this line out: the first block's setting holds for all");
        return false;
    }

    bool needs_data(const ast::Setting& line, const TrainBlock& block) {
        if (block.dataset >= 0) return true;
        elaborator_.error(Code::missing_setting, line.key_span,
                          fmt::format("`{}` needs rows of data, but the block has no data", line.key), "", "data name");
        return false;
    }

    bool integer(const std::string& key, int64_t by_default, int64_t most, int64_t& value) {
        auto line = find(key);
        value = by_default;
        if (!line) return true;
        auto given =
            constant_integer(elaborator_, elaborator_.evaluate(*line->value, scope_), line->value->span, key.c_str());
        if (!given) return false;
        value = *given;
        if (value >= 1 && value <= most) return true;
        elaborator_.error(Code::bad_setting, line->value->span,
                          fmt::format("{} must be 1 to {}, not {}", key, most, value));
        return false;
    }
};

} // namespace

BlockLines lines_of(const ast::Train& block, Diagnostics& diagnostics) {
    BlockLines lines;
    for (const ast::TrainItem& item : block.items) {
        auto setting = std::get_if<ast::Setting>(&item.node);
        if (!setting) continue;
        if (setting->key == "optimizer") lines.optimizers.push_back(setting);
        else if (setting->key == "metric") lines.metrics.push_back(setting);
        else if (auto [at, fresh] = lines.one.emplace(setting->key, setting); !fresh)
            diagnostics
                .report(Code::repeated_setting, setting->key_span, fmt::format("`{}` is set twice", setting->key))
                .remarks.push_back({at->second->key_span, "first set here"});
    }
    return lines;
}

bool read_settings(const BlockContext& context, const BlockLines& lines, Span block_span, TrainBlock& block) {
    SettingReading reading(context, lines);
    return reading.data(block) && reading.order(block) && reading.batch(block) && reading.durations(block, block_span);
}

} // namespace gradc
