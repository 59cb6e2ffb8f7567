/** What the server answers: nothing leads to a page of which it does not know the address. */
export const served: { config: boolean; operations: boolean; snooze: boolean } = {
  config: false,
  operations: false,
  snooze: false,
};
