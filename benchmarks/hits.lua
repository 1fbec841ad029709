-- Posts different hits of 700 bytes, one a request or many; at the end one line of JSON on what came
-- back. Arguments: path, authorization, a prefix that makes this run's hitIds its own, hits a request
local answers = {}
local threads = {}
local PRODUCT = '"product":{"id":"sku-1234","skuCode":"12","name":"Boots of a decent size",'
  .. '"currency":"USD","unitPrice":99.9,"unitSalePrice":79.9,"category":"Home/Footwear/Boots",'
  .. '"url":"http://shop.example/boots/1234"},"quantity":1,"label":"some label"'
local AGENT = '"ip":"123.22.334.55","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"'
local PUBLIC = '","sentAt":"2026-11-23T10:56:10.723Z","event":{"category":"Ecommerce","name":"Added Product",'
  .. PRODUCT .. ',"user":{"anonymousId":"80ddb140-35c6-11e9-bd56-eb1c05e6de18","emailHash":'
  .. '"eff8c37862c7a2f0019448289bdd0869c30ae7f07060e4be9d","userId":"u2783187492",'
  .. '"firstName":"John","lastName":"Doe"},"nonInteraction":false},"context":{' .. AGENT .. "}}"
local SEGMENT = '","timestamp":"2026-11-23T10:56:10.723Z","type":"track","event":"Added Product",'
  .. '"anonymousId":"80ddb140-35c6-11e9-bd56-eb1c05e6de18","userId":"u2783187492",'
  .. '"integrations":{},"properties":{' .. PRODUCT .. ',"category":"Ecommerce"},"context":{'
  .. '"library":{"name":"analytics-python","version":"2.4.0"},"page":{"path":"/boots/1234",'
  .. '"title":"Boots of a decent size"},' .. AGENT .. "}}"

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  path, authorization, prefix, many = args[1], args[2], args[3], tonumber(args[4])
  count = 0
  statuses = ""
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = authorization
  first, last, before, rest = "", "", '{"hitId":"', PUBLIC
  if path == "/v1/batch" then
    first, last = '{"sentAt":"2026-11-23T10:56:11.723Z","batch":[', "]}"
    before, rest = '{"messageId":"', SEGMENT
  elseif many > 1 then
    first, last = '{"hits":[', "]}"
  end
end

function request()
  local hits = {}
  for place = 1, many do
    count = count + 1
    hits[place] = before .. prefix .. "-" .. count .. rest
  end
  return wrk.format("POST", path, nil, first .. table.concat(hits, ",") .. last)
end

function response(status)
  answers[status] = (answers[status] or 0) + 1
  statuses = ""
  for code, times in pairs(answers) do
    statuses = statuses .. (statuses == "" and "" or ",") .. '"' .. code .. '":' .. times
  end
end

function done(summary, latency)
  local counted = threads[1]:get("statuses")
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.4f,"p95":%.4f,"p99":%.4f,"max":%.4f,'
      .. '"statuses":{%s},"unanswered":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3, counted,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
