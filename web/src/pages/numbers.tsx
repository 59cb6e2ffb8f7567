/** People and crossings by the hour, and how alerts were answered. */

import { useMemo, useState } from "preact/hooks";
import uPlot from "uplot";

import { api, numbersCsv } from "../api";
import type { Camera, Figures, Hour, Kind } from "../api/types";
import { cameras } from "../live/cameras";
import { Icon } from "../ui/icons";
import { Plot, axis, colour } from "../ui/plot";
import { ErrorNote } from "../ui/problem";
import { useAsked } from "../ui/use";
import { fixed, isoDay, lasting, number, percent, t } from "../words";

const DAY = 86_400_000;
const LINES = ["accent", "severe", "moderate", "minor", "good", "extreme"];

export function NumbersPage() {
  const w = t();
  const [day, setDay] = useState(() => isoDay(Date.now()));
  const all = cameras.value ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const camera = all.find((c) => c.id === chosen) ?? all[0];
  const move = (by: number): void => setDay(new Date(Date.parse(`${day}T12:00:00Z`) + by * DAY).toISOString().slice(0, 10));
  return (
    <div class="page">
      <header class="page-head">
        <h1>{w.numbers.title}</h1>
        <span class="stepper">
          <button type="button" class="square" title={w.numbers.previous} onClick={() => move(-1)}>
            <Icon name="back" />
            <span class="hidden">{w.numbers.previous}</span>
          </button>
          <input type="date" aria-label={w.numbers.day} value={day} max={isoDay(Date.now())} onInput={(e) => e.currentTarget.value !== "" && setDay(e.currentTarget.value)} />
          <button type="button" class="square" title={w.numbers.nextDay} disabled={day >= isoDay(Date.now())} onClick={() => move(1)}>
            <Icon name="next" />
            <span class="hidden">{w.numbers.nextDay}</span>
          </button>
        </span>
        {all.length > 1 && (
          <select aria-label={w.numbers.camera} value={camera?.id ?? ""} onChange={(e) => setChosen(e.currentTarget.value)}>
            {all.map((c) => (
              <option key={c.id} value={c.id}>
                {c.name}
              </option>
            ))}
          </select>
        )}
        <span class="grow" />
        {camera !== undefined && (
          <a class="button" href={numbersCsv(camera.id, day)} download={`${camera.id}-${day}.csv`}>
            {w.numbers.csvCamera}
          </a>
        )}
        <a class="button" href={numbersCsv(null, day)} download={`${day}.csv`}>
          {w.numbers.csvSite}
        </a>
      </header>
      {camera !== undefined && <CameraNumbers key={camera.id} camera={camera} day={day} />}
      <Answers day={day} />
    </div>
  );
}

function CameraNumbers({ camera, day }: { camera: Camera; day: string }) {
  const w = t();
  const found = useAsked(`numbers ${camera.id} ${day}`, () => api.numbers(camera.id, day));
  if (found.error !== null) return <ErrorNote error={found.error} retry={found.again} />;
  const hours = found.data?.hours ?? [];
  const zones = [...new Set(hours.flatMap((hour) => Object.keys(hour.people)))];
  const lines = [...new Set(hours.flatMap((hour) => Object.keys(hour.lines)))];
  if (found.data !== null && zones.length === 0 && lines.length === 0) return <p class="blank">{w.numbers.nothing}</p>;
  const zoneName = (id: string): string => camera.zones.find((z) => z.id === id)?.name ?? id;
  return (
    <div class="cards">
      {zones.length > 0 && (
        <section class="card padded">
          <h2>{w.numbers.people}</h2>
          <p class="small soft">{w.numbers.peopleHint}</p>
          <HourChart hours={hours} label={w.numbers.people} series={zones.map((zone) => ({ name: zoneName(zone), value: (hour) => hour.people[zone]?.mean ?? null }))} />
          <div class="scroll">
            <table class="data">
              <thead>
                <tr>
                  <th>{w.numbers.zone}</th>
                  <th class="number">{w.numbers.mean}</th>
                  <th class="number">{w.numbers.max}</th>
                </tr>
              </thead>
              <tbody>
                {zones.map((zone, i) => {
                  const there = hours.flatMap((hour) => hour.people[zone] ?? []);
                  return (
                    <tr key={zone}>
                      <th scope="row">
                        <Swatch index={i} />
                        {zoneName(zone)}
                      </th>
                      <td class="number">{fixed(there.reduce((sum, h) => sum + h.mean, 0) / Math.max(1, there.length), 1)}</td>
                      <td class="number">{number(Math.max(0, ...there.map((h) => h.max)))}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {lines.map((line) => {
        const known = camera.lines.find((l) => l.id === line);
        const [left, right] = [known?.left ?? w.wall.left, known?.right ?? w.wall.right];
        const sum = (way: "left_to_right" | "right_to_left"): number => hours.reduce((total, hour) => total + (hour.lines[line]?.[way] ?? 0), 0);
        return (
          <section key={line} class="card padded">
            <h2>{`${w.numbers.crossings} · ${known?.name ?? line}`}</h2>
            <HourChart
              hours={hours}
              bars
              label={w.numbers.crossings}
              series={[
                { name: `${left} → ${right}`, value: (hour) => hour.lines[line]?.left_to_right ?? null },
                { name: `${right} → ${left}`, value: (hour) => hour.lines[line]?.right_to_left ?? null },
              ]}
            />
            <table class="data">
              <tbody>
                <tr>
                  <th scope="row">
                    <Swatch index={0} />
                    {`${left} → ${right}`}
                  </th>
                  <td class="number">{number(sum("left_to_right"))}</td>
                </tr>
                <tr>
                  <th scope="row">
                    <Swatch index={1} />
                    {`${right} → ${left}`}
                  </th>
                  <td class="number">{number(sum("right_to_left"))}</td>
                </tr>
              </tbody>
            </table>
          </section>
        );
      })}
    </div>
  );
}

function Swatch({ index }: { index: number }) {
  return <i class={`swatch ${LINES[index % LINES.length] ?? "accent"}`} />;
}

interface Series {
  name: string;
  value: (hour: Hour) => number | null;
}

function HourChart({ hours, series, label, bars = false }: { hours: Hour[]; series: Series[]; label: string; bars?: boolean }) {
  const data = useMemo<uPlot.AlignedData>(() => {
    const x = Array.from({ length: 24 }, (_, hour) => hour);
    const of = (hour: number): Hour | undefined => hours.find((h) => h.hour === hour);
    return [
      x,
      ...series.map((s) =>
        x.map((hour) => {
          const found = of(hour);
          return found === undefined ? null : s.value(found);
        }),
      ),
    ];
  }, [hours, series.map((s) => s.name).join("|")]);
  const options = (): Omit<uPlot.Options, "width" | "height"> => ({
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false, range: [bars ? -0.6 : 0, bars ? 23.6 : 23] }, y: { range: (_, __, high) => [0, Math.max(1, high * 1.1)] } },
    series: [
      {},
      ...series.map((s, i) => {
        const paint = colour(LINES[i % LINES.length] ?? "accent");
        const paths = bars && uPlot.paths.bars !== undefined ? { paths: uPlot.paths.bars({ size: [0.36], align: i === 0 ? -1 : 1 }), fill: paint } : {};
        return { label: s.name, stroke: paint, width: bars ? 0 : 2, points: { show: !bars, size: 4 }, ...paths };
      }),
    ],
    axes: [axis({ values: (_, at) => at.map((hour) => (Number.isInteger(hour) ? String(hour) : "")), incrs: [1, 2, 3, 6], size: 28 }), axis({ values: (_, at) => at.map((v) => number(v, 1)), size: 44 })],
  });
  return <Plot data={data} height={170} options={options} label={label} />;
}

function Answers({ day }: { day: string }) {
  const w = t();
  const found = useAsked(`statistics ${day}`, () => api.statistics(day));
  if (found.error !== null) return <ErrorNote error={found.error} retry={found.again} />;
  if (found.data === null) return <p class="blank">{w.app.loading}</p>;
  const { total, kinds, grids } = found.data;
  const rows: { name: string; figures: Figures; head?: string }[] = [
    { name: w.numbers.all, figures: total },
    ...kinds.map((of, i) => ({ name: w.kind[of.kind as Kind], figures: of, ...(i === 0 ? { head: w.numbers.byKind } : {}) })),
    ...grids.map((of, i) => ({ name: of.grid ?? w.numbers.noGrid, figures: of, ...(i === 0 ? { head: w.numbers.byGrid } : {}) })),
  ];
  return (
    <section class="card padded">
      <h2>{w.numbers.answers}</h2>
      <div class="scroll">
        <table class="data">
          <thead>
            <tr>
              <th />
              {[w.numbers.received, w.numbers.answered, w.numbers.resolved, w.numbers.falseAlarms, w.numbers.inTime, w.numbers.median, w.numbers.share].map((name) => (
                <th key={name} class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, figures, head }) => [
              head === undefined ? null : (
                <tr key={head} class="group">
                  <th colSpan={8}>{head}</th>
                </tr>
              ),
              <tr key={`${head ?? ""}${name}`}>
                <th scope="row">{name}</th>
                <td class="number">{number(figures.received)}</td>
                <td class="number">{number(figures.answered)}</td>
                <td class="number">{number(figures.resolved)}</td>
                <td class="number">{number(figures.false_alarms)}</td>
                <td class="number">{figures.due === 0 ? "–" : `${number(figures.in_time)} / ${number(figures.due)}`}</td>
                <td class="number">{figures.median_minutes === null ? "–" : lasting(figures.median_minutes * 60)}</td>
                <td class="number">{figures.false_alarm_share === null ? "–" : percent(figures.false_alarm_share)}</td>
              </tr>,
            ])}
          </tbody>
        </table>
      </div>
    </section>
  );
}
