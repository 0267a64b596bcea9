from hub_config.airlock.checks.inside.found import Found, Order


def check(content: bytes, order: Order) -> Found:
    import csv
    import io

    rows = list(csv.reader(io.StringIO(content.decode())))
    from hub_config.airlock.checks.inside.preview import table_block

    return Found((), (table_block(order.name, rows[0], rows[1:]),), ())
