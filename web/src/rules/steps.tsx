/** From which values up an alert gets worse. */

import type { Severity } from "../api/types";
import { SEVERITIES } from "../api/types";
import { Icon } from "../ui/icons";
import { t } from "../words";
import { NumberField } from "./number";

interface Step {
  value: unknown;
  severity: Severity;
}

interface Props {
  value: unknown;
  set: (value: unknown) => void;
  readOnly: boolean;
}

export function StepsField({ value, set, readOnly }: Props) {
  const w = t();
  const steps = Array.isArray(value) ? (value as Step[]) : [];
  const put = (next: Step[]): void => set(next.length === 0 ? undefined : next);
  const change = (index: number, values: Partial<Step>): void => put(steps.map((step, i) => (i === index ? { ...step, ...values } : step)));
  const add = (): void => {
    const last = steps[steps.length - 1];
    const worst = SEVERITIES.indexOf(last?.severity ?? "moderate");
    put([...steps, { value: undefined, severity: SEVERITIES[Math.min(worst + 1, SEVERITIES.length - 1)] ?? "severe" }]);
  };
  return (
    <div class="steps">
      {steps.map((step, i) => (
        <span key={i} class="step">
          <span class="soft">{w.editor.escalate.from}</span>
          <NumberField id="" value={step.value} set={(number) => change(i, { value: number })} readOnly={readOnly} invalid={false} usual="" whole={false} />
          <span class="soft">{w.editor.escalate.to}</span>
          <select aria-label={w.rules.field.severity} disabled={readOnly} value={step.severity} onChange={(e) => change(i, { severity: e.currentTarget.value as Severity })}>
            {SEVERITIES.map((severity) => (
              <option key={severity} value={severity}>
                {w.severity[severity]}
              </option>
            ))}
          </select>
          {!readOnly && (
            <button type="button" class="plain square" title={w.act.remove} onClick={() => put(steps.filter((_, n) => n !== i))}>
              <Icon name="close" />
              <span class="hidden">{w.act.remove}</span>
            </button>
          )}
        </span>
      ))}
      {!readOnly && (
        <button type="button" class="plain add" onClick={add}>
          <Icon name="plus" />
          {w.editor.escalate.add}
        </button>
      )}
    </div>
  );
}
