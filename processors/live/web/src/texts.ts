// Every word of the page, so that another language is one more object of the same keys.
const en = {
  title: "corridorwatch",
  borders: "Borders",
  trains: "Trains",
  skip: "Skip to the table",
  filter: "Filter",
  filterHint: "place, border, number … (press / )",
  units: "Units",
  unit_train: "trains",
  unit_vessel: "vessels",
  unit_wagon: "wagons",
  unit_container: "containers",
  border: "Border",
  side: "Side",
  outbound: "out of {0}",
  inbound: "into {0}",
  direction: "Direction",
  waiting: "On the side",
  silent: "silent",
  candidates: "not sure to cross",
  oldest: "Longest",
  norm: "Norm",
  againstNorm: "Against the norm",
  overNorm: "over the norm",
  median: "Median",
  released: "Left in 24 h",
  releasedMedian: "took",
  within: "within",
  noNorm: "no norm",
  train: "Train",
  state: "State",
  where: "Where",
  at: "at {0}",
  behind: "left {0}",
  since: "For",
  seen: "Last seen",
  speed: "km/h",
  destination: "To",
  corridor: "Corridor",
  load: "Containers",
  ago: "{0} ago",
  asOf: "as of {0} UTC",
  looked: "checked {0} ago",
  live: "live",
  connecting: "connecting …",
  lost: "no connection, trying again; what is shown is {0} old",
  stale: "not renewed: {0}",
  nothing: "Nothing to show yet.",
  nothingFits: "Nothing fits the filter.",
  theme: "Colours: {0}",
  auto: "as the system",
  light: "light",
  dark: "dark",
  keys: "Keys: 1 borders, 2 trains, / filter",
};

export type Key = keyof typeof en;
const languages: Record<string, Partial<typeof en>> = { en };
const spoken = navigator.languages.map((l) => l.split("-")[0]!).find((l) => l in languages) ?? "en";
document.documentElement.lang = spoken;

/** The text of a key; {0} is replaced. */
export function t(key: Key, arg?: string): string {
  const text = languages[spoken]?.[key] ?? en[key];
  return arg === undefined ? text : text.replace("{0}", arg);
}
