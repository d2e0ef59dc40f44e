// SPDX-License-Identifier: Apache-2.0
// What the plugin counts, in Prometheus' text form (prometheus.io, exposition formats, 0.0.4).

type Outcome = "ok" | "denied" | "error";

export interface Metrics {
  /** An event of the runtime was answered. */
  observe(event: string, outcome: Outcome, seconds: number): void;
  /** An event was answered after the runtime's deadline. */
  countLate(): void;
  countSession(): void;
  countReport(kind: "synchronize" | "stopped", succeeded: boolean): void;
  render(gauges: Readonly<Record<string, number>>): string;
}

/** Seconds. */
const buckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];

interface Histogram {
  readonly labels: string;
  readonly counts: number[];
  count: number;
  sum: number;
}

const PREFIX = "tetragon_nri_hook";

export function createMetrics(): Metrics {
  const histograms = new Map<string, Histogram>();
  const reports = new Map<string, number>();
  let late = 0;
  let sessions = 0;

  const findHistogram = (event: string, outcome: Outcome): Histogram => {
    const labels = `event="${event}",outcome="${outcome}"`;
    const known = histograms.get(labels);
    if (known !== undefined) return known;
    const made: Histogram = { labels, counts: buckets.map(() => 0), count: 0, sum: 0 };
    histograms.set(labels, made);
    return made;
  };

  return {
    observe(event, outcome, seconds) {
      const histogram = findHistogram(event, outcome);
      histogram.count++;
      histogram.sum += seconds;
      for (const [at, limit] of buckets.entries()) {
        if (seconds <= limit) histogram.counts[at] = (histogram.counts[at] ?? 0) + 1;
      }
    },
    countLate: () => void late++,
    countSession: () => void sessions++,
    countReport(kind, succeeded) {
      const labels = `kind="${kind}",outcome="${succeeded ? "ok" : "error"}"`;
      reports.set(labels, (reports.get(labels) ?? 0) + 1);
    },
    render(gauges) {
      const lines: string[] = [];
      const metric = (name: string, type: string, help: string, samples: readonly string[]): void => {
        lines.push(`# HELP ${PREFIX}_${name} ${help}`, `# TYPE ${PREFIX}_${name} ${type}`);
        for (const sample of samples) lines.push(`${PREFIX}_${name}${sample}`);
      };
      metric(
        "event_seconds",
        "histogram",
        "Time from the runtime's event to the plugin's answer.",
        [...histograms.values()].flatMap(({ labels, counts, count, sum }) => [
          ...counts.map((value, at) => `_bucket{${labels},le="${buckets[at]}"} ${value}`),
          `_bucket{${labels},le="+Inf"} ${count}`,
          `_sum{${labels}} ${sum}`,
          `_count{${labels}} ${count}`,
        ]),
      );
      metric("late_answers_total", "counter", "Answers after the runtime's deadline.", [` ${late}`]);
      metric("sessions_total", "counter", "Sessions with a runtime that came to serve.", [` ${sessions}`]);
      metric(
        "agent_reports_total",
        "counter",
        "What the agent was told beside the events that wait for it.",
        [...reports].map(([labels, value]) => `{${labels}} ${value}`),
      );
      for (const [name, value] of Object.entries(gauges)) {
        lines.push(`# TYPE ${PREFIX}_${name} gauge`, `${PREFIX}_${name} ${value}`);
      }
      return `${lines.join("\n")}\n`;
    },
  };
}
