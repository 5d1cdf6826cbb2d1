// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A scratch folder for a test, files in it, and trainers run as processes.
#pragma once
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace workplace {

class Folder {
public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string path(std::string_view name = "") const {
        return name.empty() ? path_ : path_ + "/" + std::string(name);
    }
    /// Writes a file and returns its path.
    std::string write(std::string_view name, std::string_view content) const;
    /// Names of its entries, sorted.
    std::vector<std::string> list() const;

private:
    std::string path_;
};

std::string read(const std::string& path);

struct Result {
    int code = -1; // 128 + signal where it was killed
    std::string out, err;
};

/// A trainer made of the hand-written module; `kind`: "", "_rebuilt", "_other", "_no_isa", "_faulty". It runs
/// in `folder`.
Result run(const Folder& folder, const std::vector<std::string>& words, const std::string& kind = "");
/// Sends `signal` after so many microseconds unless it has ended.
Result run_and_send(const Folder& folder, const std::vector<std::string>& words, int signal, int microseconds);
/// Sends the signal as soon as the trainer has written `file`.
Result run_until_written(const Folder& folder, const std::vector<std::string>& words, const std::string& file,
                         int signal);
/// Sends nothing; for tests that hold a trainer while another starts.
pid_t start(const Folder& folder, const std::vector<std::string>& words);
int finish(pid_t process, int signal);

/// digits.csv as the hand-written module wants it: 64 pixels and a label, learnable, the same each
/// time.
void write_digits(const Folder& folder, int rows);

/// "weights_hash" and the like out of the trainer's JSON.
std::string json_text(const std::string& path, std::string_view key);

} // namespace workplace
