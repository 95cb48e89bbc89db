// Picks the region that a browser talks to, from the list that every region serves at /regions.json.
//
// Copy this file into a front end whose DNS provider cannot answer by geography:
//
//     const list = await loadRegions(["https://us.yourapp.com", "https://cn.yourapp.com"]);
//     const region = await pickRegion(list, { chosen: localStorage.getItem("region") });
//     await fetch(`${region.url}/api/health`);

export interface Region {
  name: string;
  url: string;
}

export interface RegionList {
  version: 1;
  /** The region of every country that `countries` does not name. */
  default: string;
  /** The address that DNS answers by geography, or null where clients choose themselves. */
  geo: string | null;
  regions: Region[];
  /** Region by ISO 3166 country code. */
  countries: Record<string, string>;
}

export interface Hints {
  /** The region that the user chose. */
  chosen?: string | null;
  /** The user's country, where the application knows it. */
  country?: string | null;
}

const TIMEOUT_MS = 3000;

async function read(origin: string): Promise<RegionList> {
  const response = await fetch(`${origin}/regions.json`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    throw new Error(`${origin}/regions.json: status ${response.status}`);
  }
  const list = (await response.json()) as RegionList;
  if (list.version !== 1) {
    throw new Error(`${origin}/regions.json: version ${String(list.version)} is not known`);
  }
  return list;
}

/** The list of whichever region answers first. Rejects where none does. */
export function loadRegions(origins: readonly string[]): Promise<RegionList> {
  return Promise.any(origins.map(read));
}

/** The user's choice, else the region of the user's country, else the one that answers first, else the default. */
export async function pickRegion(list: RegionList, hints: Hints = {}): Promise<Region> {
  const named = (name: string | null | undefined): Region | undefined =>
    list.regions.find((region) => region.name === name);
  const country = hints.country?.toUpperCase();
  const byCountry = country === undefined ? undefined : (list.countries[country] ?? list.default);
  const known = named(hints.chosen) ?? named(byCountry);
  if (known !== undefined) {
    return known;
  }
  const nearest = Promise.any(list.regions.map((region) => read(region.url).then(() => region)));
  const fallback = named(list.default);
  return fallback === undefined ? nearest : nearest.catch(() => fallback);
}
