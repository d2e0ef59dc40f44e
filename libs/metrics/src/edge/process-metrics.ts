// SPDX-License-Identifier: Apache-2.0
// Metrics of the process with the names that Prometheus clients use. They are read at each scrape.

import { countOpenDescriptors, readDescriptorLimit } from "@rthooks/sys/descriptors";
import { Counter, Gauge, type Registry } from "prom-client";

export function registerProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    ...{ name: "process_cpu_seconds_total", help: "CPU time of the process, of user and system.", registers },
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    ...{ name: "process_resident_memory_bytes", help: "Resident memory of the process.", registers },
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    ...{ name: "process_open_fds", help: "Open file descriptors of the process.", registers },
    collect() {
      this.set(countOpenDescriptors() ?? readDescriptorLimit());
    },
  });
  new Gauge({
    ...{ name: "process_max_fds", help: "Maximum number of open file descriptors.", registers },
  }).set(readDescriptorLimit());
  new Gauge({
    ...{ name: "process_start_time_seconds", help: "Start of the process, as Unix time.", registers },
  }).set(performance.timeOrigin / 1000);
}
